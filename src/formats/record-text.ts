import { isUtf8 } from 'node:buffer';

/** The bytes of a record as text. */
export interface RecordText {
  /** Without one trailing LF or CRLF. */
  readonly text: string;
  /** False: some bytes were not UTF-8; U+FFFD stands in their place. */
  readonly valid: boolean;
}

const LF = 0x0a;
const CR = 0x0d;

/** The bytes of a record without its line ending: one trailing LF or CRLF. A lone CR is none. */
export function withoutLineEnding(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (bytes[length - 1] !== LF) return bytes;
  return bytes.subarray(0, bytes[length - 2] === CR ? length - 2 : length - 1);
}

/** Reads a record's bytes as UTF-8. A byte order mark is a character like any other. */
export function recordText(bytes: Uint8Array): RecordText {
  const body = withoutLineEnding(bytes);
  return { text: utf8(body), valid: isUtf8(body) };
}

/** Bytes as UTF-8, U+FFFD for what is not. */
export function utf8(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('utf8');
}
