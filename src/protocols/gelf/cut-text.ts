/** A text within its limit, and the number of cut UTF-8 bytes (0: nothing was cut). */
export interface CutText {
  readonly text: string;
  readonly cutBytes: number;
}

/** Room for the longest marker: ` [cut: 9007199254740991 bytes missing]`. */
const MARKER_BYTES = 40;

/**
 * The text, or its beginning and a marker with the number of missing bytes, within `maxBytes` as JSON
 * (without the quotes). Never splits a character.
 */
export function cutText(text: string, maxBytes: number): CutText {
  // In JSON a UTF-16 unit has at most 6 bytes.
  if (text.length * 6 <= maxBytes) return { text, cutBytes: 0 };
  if (lengthWithin(text, maxBytes) === text.length) return { text, cutBytes: 0 };
  const marked = maxBytes >= 2 * MARKER_BYTES;
  const kept = lengthWithin(text, marked ? maxBytes - MARKER_BYTES : maxBytes);
  const cutBytes = Buffer.byteLength(text) - Buffer.byteLength(text.slice(0, kept));
  return { text: text.slice(0, kept) + (marked ? ` [cut: ${cutBytes} bytes missing]` : ''), cutBytes };
}

/** The number of bytes of the text in JSON, without the quotes. */
export function jsonLength(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** The number of UTF-16 units of the text that fit into `maxBytes` of JSON. */
function lengthWithin(text: string, maxBytes: number): number {
  let bytes = 0;
  let index = 0;
  while (index < text.length) {
    const unit = text.charCodeAt(index);
    const pair = unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1));
    bytes += pair ? 4 : unitBytes(unit);
    if (bytes > maxBytes) return index;
    index += pair ? 2 : 1;
  }
  return index;
}

function unitBytes(unit: number): number {
  if (unit === 0x22 || unit === 0x5c) return 2;
  if (unit < 0x20) return unit >= 0x08 && unit <= 0x0d && unit !== 0x0b ? 2 : 6;
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  // A lone surrogate is written as \udxxx.
  return unit >= 0xd800 && unit < 0xe000 ? 6 : 3;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
