import { crc32 } from 'node:zlib';

/**
 * A row is stored as `#`, the CRC-32 of its key and text as 8 hexadecimal digits, then the text. The checksum
 * includes the key, so that a row is not valid under another key. JSON never begins with `#`, which
 * identifies rows of layout 1: they have no checksum.
 */
const MARK = '#';
const DIGITS = 8;

export const CHECKSUM_CHARACTERS = MARK.length + DIGITS;

export function withChecksum(id: string, text: string): string {
  return `${MARK}${checksumOf(id, text)}${text}`;
}

/** The text of a stored row; undefined when it does not match its checksum. */
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
