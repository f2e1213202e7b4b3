/** How many of something there may be over all calls together. */
export class SharedLimit {
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False: there are too many. */
  take(): boolean {
    if (this.#taken >= this.#limit) return false;
    this.#taken++;
    return true;
  }

  give(count: number): void {
    this.#taken -= count;
  }
}
