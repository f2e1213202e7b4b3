import { type ByteCursor, isDigit } from '../byte-cursor.ts';
import type { WallSecond } from './wall-time.ts';

/**
 * The last date and time that was read in one notation. Most records of a large flow have the same second as the record
 * before: to compare the text takes a fraction of the time that reading its numbers takes.
 */
export class LastSecond {
  readonly #text: Uint8Array;
  #second: WallSecond | undefined;

  /** `length`: the bytes of a text in this notation. Texts of another length are not kept. */
  constructor(length: number) {
    this.#text = new Uint8Array(length);
  }

  /** Reads the same text again; undefined: the cursor is not at this text. */
  readAt(cursor: ByteCursor): WallSecond | undefined {
    const text = this.#text;
    const { bytes, at, end } = cursor;
    if (this.#second === undefined || at + text.length > end) return undefined;
    // The last digits differ most often.
    for (let index = text.length - 1; index >= 0; index--)
      if (bytes[at + index] !== text[index]) return undefined;
    if (isDigit(cursor.peek(text.length))) return undefined;
    cursor.at += text.length;
    return this.#second;
  }

  /** The text from `start` to the cursor is this second. */
  keep(cursor: ByteCursor, start: number, second: WallSecond): void {
    if (cursor.at - start !== this.#text.length) return;
    this.#text.set(cursor.bytes.subarray(start, cursor.at));
    this.#second = second;
  }
}
