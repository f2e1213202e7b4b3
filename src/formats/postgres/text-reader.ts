import { isUtf8 } from 'node:buffer';

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

/**
 * The characters of the bytes 0x80 to 0x9f. By hand: some releases of Node decode `windows-1252` as Latin-1.
 */
const PRINTABLE =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';

function windows1252(latin1: string): string {
  return latin1.replace(/[\u0080-\u009f]/g, (each) => PRINTABLE.charAt(each.charCodeAt(0) - 0x80));
}
