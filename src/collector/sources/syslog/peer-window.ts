import type { Position } from '../../../records/position.ts';

/**
 * The fingerprints of the newest messages of one sender, in the order of their receipt. They have ascending numbers.
 *
 *     0 ....... first .............. saved .............. next
 *       removed        on disk, in blocks    not on disk
 *
 * A block on disk has the fingerprints of `BLOCK` numbers; the last one can have fewer. A commit rewrites the last block
 * and appends new ones, so its cost does not depend on the size of the window.
 */
export class PeerWindow {
  readonly name: string;
  /** Open sessions of this sender. */
  sessions = 0;
  #fingerprints: string[] = [];
  /**
   * The newest number of each fingerprint before `#indexed`. It is completed when a fingerprint is looked up, so a long
   * session without look-ups costs no index.
   */
  readonly #numbers = new Map<string, number>();
  #indexed = 0;
  /** A multiple of `BLOCK`. */
  #first = 0;
  #saved = 0;
  /** The ends of the messages that are not on disk. */
  #ends: Position[] = [];
  /** The newest messages, which have no end yet. */
  #unsettled = 0;
  #removed: number[] = [];
  #writing = { saved: 0, removed: 0 };

  constructor(name: string) {
    this.name = name;
  }

  get isEmpty(): boolean {
    return this.#fingerprints.length === 0 && this.#removed.length === 0;
  }

  has(fingerprint: string): boolean {
    for (; this.#indexed < this.#next; this.#indexed++)
      this.#numbers.set(this.#fingerprints[this.#indexed - this.#first] ?? '', this.#indexed);
    return this.#numbers.has(fingerprint);
  }

  /** `end`: the message is on disk when everything before this position is; undefined: `settle` sets it. */
  add(fingerprint: string, end: Position | undefined): void {
    this.#fingerprints.push(fingerprint);
    this.#ends.push(end ?? Number.POSITIVE_INFINITY);
    if (end === undefined) this.#unsettled++;
  }

  /** Sets the end of the last messages, which were added without one. Infinity: they are removed. */
  settle(end: Position): void {
    const count = this.#unsettled;
    this.#unsettled = 0;
    if (end < Number.POSITIVE_INFINITY) this.#ends.fill(end, this.#ends.length - count);
    else if (count > 0) this.#removeNewest(count);
  }

  /** Removes the oldest blocks above the limit. */
  limitTo(messages: number): void {
    while (this.#fingerprints.length > messages + (messages === 0 ? 0 : BLOCK)) this.#removeOldest();
  }

  /** Adds a block that was read from disk. The blocks must be in order. */
  restore(block: number, text: string): void {
    if (block * BLOCK !== this.#next) {
      while (this.#fingerprints.length > 0) this.#removeOldest();
      this.#first = block * BLOCK;
      this.#indexed = this.#first;
    }
    for (let at = 0; at < text.length; at += CHARACTERS)
      this.#fingerprints.push(text.slice(at, at + CHARACTERS));
    this.#saved = this.#next;
  }

  /** The blocks to write when all messages before `end` are stored, and the numbers of those to remove. */
  write(end: Position): WindowChange {
    let saved = this.#saved;
    while (saved < this.#next && (this.#ends[saved - this.#saved] ?? 0) <= end) saved++;
    this.#writing = { saved, removed: this.#removed.length };
    const blocks: [number, string][] = [];
    const from = Math.max(this.#first, this.#saved - (this.#saved % BLOCK));
    for (let start = from; start < saved && saved > this.#saved; start += BLOCK) {
      const part = this.#fingerprints.slice(
        start - this.#first,
        Math.min(saved, start + BLOCK) - this.#first,
      );
      blocks.push([start / BLOCK, part.join('')]);
    }
    return { blocks, removed: this.#removed };
  }

  /** The result of `write` is on disk. Returns whether there is nothing more to write. */
  written(): boolean {
    const { saved, removed } = this.#writing;
    this.#ends.splice(0, saved - this.#saved);
    this.#saved = Math.max(this.#saved, saved);
    this.#removed.splice(0, removed);
    this.#writing = { saved: this.#saved, removed: 0 };
    return this.#ends.length === 0 && this.#removed.length === 0;
  }

  get #next(): number {
    return this.#first + this.#fingerprints.length;
  }

  #removeNewest(count: number): void {
    this.#ends.length -= count;
    this.#fingerprints.length = Math.max(0, this.#fingerprints.length - count);
    this.#numbers.clear();
    this.#indexed = this.#first;
  }

  #removeOldest(): void {
    const removed = this.#fingerprints.splice(0, BLOCK);
    const indexed = removed.slice(0, Math.max(0, this.#indexed - this.#first));
    for (const [index, fingerprint] of indexed.entries())
      if (this.#numbers.get(fingerprint) === this.#first + index) this.#numbers.delete(fingerprint);
    this.#removed.push(this.#first / BLOCK);
    this.#first += BLOCK;
    this.#indexed = Math.max(this.#indexed, this.#first);
    // The next number stays the same: a block with fewer fingerprints is the last one, and the window is empty then.
  }
}

export interface WindowChange {
  /** Number and fingerprints of each block. */
  readonly blocks: readonly (readonly [number, string])[];
  readonly removed: readonly number[];
}

export const BLOCK = 128;
const CHARACTERS = 16;
