/**
 * Says stop at the high mark and go only at the low one, so that what fills up as fast as it drains does not change its
 * mind with every record.
 */
export class Watermark {
  readonly #high: number;
  readonly #low: number;
  #above = false;

  constructor(high: number, low: number) {
    this.#high = high;
    this.#low = low;
  }

  /** Whether the level may be what it would be. */
  admits(level: number): boolean {
    if (this.#above ? level <= this.#low : level > this.#high) this.#above = !this.#above;
    return !this.#above;
  }
}
