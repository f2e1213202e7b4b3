/** Bytes in Windows-1252, from their text in Latin-1. */
export function windows1252(latin1: string): string {
  return latin1.replace(/[\u0080-\u009f]/g, (each) => PRINTABLE.charAt(each.charCodeAt(0) - 0x80));
}

/**
 * The characters of the bytes 0x80 to 0x9f. By hand: some releases of Node decode `windows-1252` as Latin-1.
 */
const PRINTABLE =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';
