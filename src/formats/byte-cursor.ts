/**
 * A place in the bytes of a record. Functions that read move `at` only when they have found something. The constructor sets
 * the fields, which are only declared: an initializer of fields is one more call for each record.
 */
export class ByteCursor {
  declare readonly bytes: Uint8Array;
  declare readonly end: number;
  declare at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** The byte `ahead` bytes after the current one; -1 after the end. */
  peek(ahead = 0): number {
    const at = this.at + ahead;
    return at < this.end ? (this.bytes[at] ?? NOTHING) : NOTHING;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  /** Skips one byte if it is this one. */
  skip(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  skipBlanks(): void {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end && bytes[at] === BLANK) at++;
    this.at = at;
  }

  /** The index of the next blank, or the end. */
  endOfToken(): number {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end && bytes[at] !== BLANK) at++;
    return at;
  }

  /** Skips these bytes if they are at the current place. */
  skipBytes(expected: Uint8Array): boolean {
    const { bytes, at } = this;
    const { length } = expected;
    if (at + length > this.end) return false;
    for (let index = 0; index < length; index++) if (bytes[at + index] !== expected[index]) return false;
    this.at = at + length;
    return true;
  }

  /** Whether this ASCII text is at the current place. */
  startsWith(text: string): boolean {
    if (this.at + text.length > this.end) return false;
    for (let index = 0; index < text.length; index++)
      if (this.bytes[this.at + index] !== text.charCodeAt(index)) return false;
    return true;
  }

  /** The number of at most `most` digits from the current place on; -1 if there is no digit. */
  digits(most: number): number {
    const { bytes, at: start } = this;
    const end = Math.min(this.end, start + most);
    let value = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = (bytes[at] ?? NOTHING) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.at = at;
    return at === start ? NOTHING : value;
  }
}

/** No byte, or no number. */
export const NOTHING = -1;

export const BLANK = 0x20;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const HYPHEN = 0x2d;
export const PERCENT = 0x25;
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}
