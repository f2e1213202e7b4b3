/** A place in the bytes of a record. Functions that read move `at` only when they have found something. */
export class ByteCursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  at = 0;

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
    while (this.at < this.end && this.bytes[this.at] === BLANK) this.at++;
  }

  /** The index of the next blank, or the end. */
  endOfToken(): number {
    let at = this.at;
    while (at < this.end && this.bytes[at] !== BLANK) at++;
    return at;
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
    let value = 0;
    let count = 0;
    while (count < most && isDigit(this.peek(count))) value = value * 10 + this.peek(count++) - ZERO;
    this.at += count;
    return count === 0 ? NOTHING : value;
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
