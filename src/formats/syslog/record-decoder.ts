import { isAscii, isUtf8 } from 'node:buffer';
import { windows1252 } from '../windows-1252.ts';

/**
 * Decodes parts of one record. A record that is not UTF-8 is read as Windows-1252, the usual encoding of old
 * devices; only an incomplete last character, as a cut message has it, does not count.
 */
export class RecordDecoder {
  readonly #buffer: Buffer;
  /** The record as one text, if each byte is one character. */
  readonly #ascii: string | undefined;
  /** Some bytes are not UTF-8. */
  readonly isInvalid: boolean;
  readonly isGuessed: boolean;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const isPlain = isAscii(this.#buffer);
    this.#ascii = isPlain ? this.#buffer.toString('latin1') : undefined;
    this.isInvalid = !isPlain && !isUtf8(this.#buffer);
    this.isGuessed = this.isInvalid && !isUtf8(withoutLastCharacter(this.#buffer));
  }

  text(start: number, end: number): string {
    if (this.#ascii !== undefined) return this.#ascii.slice(start, end);
    if (this.isGuessed) return windows1252(this.#buffer.toString('latin1', start, end));
    return this.#buffer.toString('utf8', start, end);
  }
}

/** Without the last byte above 0x7f with all that follows it, if the bytes are the beginning of a character. */
function withoutLastCharacter(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && isLineEnd(bytes[end - 1])) end--;
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back] ?? 0;
    if (byte >= 0xc0) return bytes.subarray(0, end - back);
    if (byte < 0x80) break;
  }
  return bytes;
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d;
}
