import type { Amount } from '../../../../records/amount.ts';
import { NOTHING, plus } from '../../../../records/amount.ts';
import type { Position } from '../../../../records/position.ts';

/**
 * Adds up what was read in this run and is accepted: each record once, however often it was sent. One for each stream.
 */
export class AcceptedReads {
  /** Ascending, as long as the publisher's window: what was read and is not accepted yet. */
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
    this.#waiting.splice(0, count);
  }

  /** Reading begins again at the end of the accepted bytes. */
  restartAt(position: Position): void {
    this.accept(position);
    this.#waiting = [];
  }
}
