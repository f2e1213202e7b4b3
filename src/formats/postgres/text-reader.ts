import { isUtf8 } from 'node:buffer';
import { windows1252 } from '../windows-1252.ts';

/**
 * Reads the texts of one record. PostgreSQL logs in the encoding of the current database and does not name
 * it, so a text that is not UTF-8 is read as Windows-1252, which is Latin-1 with printable characters (the
 * euro sign, quotes) instead of C1 controls, and the record is marked.
 */
export class TextReader {
  #foreign = false;

  /** A text was not UTF-8. */
  get foreign(): boolean {
    return this.#foreign;
  }

  read(bytes: Uint8Array): string {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (isUtf8(buffer)) return buffer.toString('utf8');
    this.#foreign = true;
    return windows1252(buffer.toString('latin1'));
  }
}

/** `true`: a text of the record was not UTF-8 and was read as Latin-1. */
export const READ_AS_LATIN1 = 'megacollector.read_as_latin1';
