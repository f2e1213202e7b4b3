import { isUtf8 } from 'node:buffer';

/** `true`: a text of the record was not UTF-8 and was read as Latin-1. */
export const READ_AS_LATIN1 = 'megacollector.read_as_latin1';

/**
 * Reads the texts of one record. PostgreSQL logs in the encoding of the database at hand and does not say which, so a
 * text that is not UTF-8 is read as Latin-1, in which every byte is a character, and the record is marked.
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
    return buffer.toString('latin1');
  }
}
