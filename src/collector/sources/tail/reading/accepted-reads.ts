import type { Amount } from '../../../../records/amount.ts';
import { NOTHING, plus } from '../../../../records/amount.ts';
import type { Position } from '../../../../records/position.ts';

/**
 * Counts the records of one stream that were read in this run and are accepted. A record that was sent again
 * is counted once.
 */
export class AcceptedReads {
  /** Reads that are not accepted yet, ascending. The publisher's window limits their number. */
  #waiting: { readonly end: Position; readonly amount: Amount }[] = [];
  #accepted = NOTHING;

  get accepted(): Amount {
    return this.#accepted;
  }

  read(end: Position, amount: Amount): void {
    this.#waiting.push({ end, amount });
  }

  accept(end: Position): void {
    let count = 0;
    for (const read of this.#waiting) {
      if (read.end > end) break;
      this.#accepted = plus(this.#accepted, read.amount);
      count++;
    }
    // An array that has grown keeps its reserve.
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
  }

  /** Reading restarts at the end of the accepted bytes. */
  restartAt(position: Position): void {
    this.accept(position);
    this.#waiting = [];
  }
}
