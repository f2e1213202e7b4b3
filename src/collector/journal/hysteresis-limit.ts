/**
 * A limit with two levels: it rejects above the high one, and admits again below the low one, so that its
 * decision does not alternate with each record.
 */
export class HysteresisLimit {
  readonly #high: number;
  readonly #low: number;
  #above = false;

  constructor(high: number, low: number) {
    this.#high = high;
    this.#low = low;
  }

  /** Returns whether the level is admitted. */
  admits(level: number): boolean {
    if (this.#above ? level <= this.#low : level > this.#high) this.#above = !this.#above;
    return !this.#above;
  }
}
