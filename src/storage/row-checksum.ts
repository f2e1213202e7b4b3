import { crc32 } from 'node:zlib';

/**
 * How the text of a row is stored: `#`, the CRC-32 of its key and text as 8 hexadecimal digits, then the text. The key is
 * part of the sum, so that a row cannot stand under another key. JSON never begins with `#`: rows of layout 1, which have
 * no checksum, are known by that.
 */
const MARK = '#';
const DIGITS = 8;

export const CHECKSUM_CHARACTERS = MARK.length + DIGITS;

export function withChecksum(id: string, text: string): string {
  return `${MARK}${checksumOf(id, text)}${text}`;
}

/** The text of a stored row; undefined when it is not what was written under this key. */
export function checkedText(id: string, stored: string): string | undefined {
  const text = stored.slice(CHECKSUM_CHARACTERS);
  return stored.slice(0, CHECKSUM_CHARACTERS) === `${MARK}${checksumOf(id, text)}` ? text : undefined;
}

/** A row that layout 1 wrote. */
export function hasNoChecksum(stored: string): boolean {
  return !stored.startsWith(MARK);
}

function checksumOf(id: string, text: string): string {
  return crc32(text, crc32(id)).toString(16).padStart(DIGITS, '0');
}
