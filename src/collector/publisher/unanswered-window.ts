import type { Position } from '../../records/position.ts';

/**
 * The unanswered batches of one stream. Answers may arrive in any order; only the end of the accepted bytes
 * *without a gap* is reported, never the highest.
 *
 *     sent      [0,10) [10,25) [25,40)
 *     answered            x               -> nothing to report
 *     answered     x      x               -> accepted up to 25
 */
export class UnansweredWindow {
  #batches: { readonly batch: SentBatch; answered: boolean }[] = [];

  get size(): number {
    return this.#batches.length;
  }

  /** The batch was sent. */
  has(sequence: number): boolean {
    return this.#batches.some(({ batch }) => batch.sequence === sequence);
  }

  sent(batch: SentBatch): void {
    this.#batches.push({ batch, answered: false });
  }

  /** Returns the new end of the contiguous accepted bytes when this answer moved it. */
  accepted(sequence: number): Position | undefined {
    const entry = this.#batches.find(({ batch }) => batch.sequence === sequence);
    if (entry !== undefined) entry.answered = true;
    let end: Position | undefined;
    while (this.#batches[0]?.answered) end = this.#batches.shift()?.batch.end;
    // An array that has grown keeps its reserve, for each of many idle streams.
    if (this.#batches.length === 0) this.#batches = [];
    return end;
  }
}

/** A sent, unanswered batch. */
export interface SentBatch {
  readonly sequence: number;
  readonly start: Position;
  readonly end: Position;
}
