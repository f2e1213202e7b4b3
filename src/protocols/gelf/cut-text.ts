/** A text within its limit, and how much was taken from it (UTF-8 bytes; 0: nothing). */
export interface CutText {
  readonly text: string;
  readonly cutBytes: number;
}

/** Room for the longest marker: ` [cut: 9007199254740991 bytes missing]`. */
const MARKER_BYTES = 40;

/**
 * The text, or its beginning and a marker that says how much is missing, within `maxBytes` as JSON writes it
 * (without the quotes). Never splits a character.
 */
export function cutText(text: string, maxBytes: number): CutText {
  // JSON writes no UTF-16 unit with more than 6 bytes.
  if (text.length * 6 <= maxBytes) return { text, cutBytes: 0 };
  if (lengthWithin(text, maxBytes) === text.length) return { text, cutBytes: 0 };
  const marked = maxBytes >= 2 * MARKER_BYTES;
  const kept = lengthWithin(text, marked ? maxBytes - MARKER_BYTES : maxBytes);
  const cutBytes = Buffer.byteLength(text) - Buffer.byteLength(text.slice(0, kept));
  return { text: text.slice(0, kept) + (marked ? ` [cut: ${cutBytes} bytes missing]` : ''), cutBytes };
}

/** How many bytes JSON needs for the text, without the quotes. */
export function jsonLength(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** How much of the text (in UTF-16 units) JSON writes with at most `maxBytes`. */
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
