import { isUtf8 } from 'node:buffer';

/** The bytes of a record as text. */
export interface RecordText {
  /** Without one trailing LF or CRLF. */
  readonly text: string;
  /** False: some bytes were not UTF-8; U+FFFD replaces them. */
  readonly valid: boolean;
}

const LF = 0x0a;
const CR = 0x0d;

/** The bytes of a record without its line ending: one trailing LF or CRLF. A lone CR is not a line ending. */
export function withoutLineEnding(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (bytes[length - 1] !== LF) return bytes;
  return bytes.subarray(0, bytes[length - 2] === CR ? length - 2 : length - 1);
}

/**
 * The bytes of a record without a UTF-8 byte order mark at its beginning: some editors and Windows programs
 * begin a file with it. The mark is not part of the text. The raw bytes of the record keep it.
 */
export function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return isMarked ? bytes.subarray(3) : bytes;
}

/** Reads a record's bytes as UTF-8, without a byte order mark at the beginning. */
export function recordText(bytes: Uint8Array): RecordText {
  const body = withoutLineEnding(withoutByteOrderMark(bytes));
  return { text: decodeUtf8(body), valid: isUtf8(body) };
}

/** Decodes bytes as UTF-8, with U+FFFD for invalid ones. */
export function decodeUtf8(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('utf8');
}
