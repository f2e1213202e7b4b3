/** A limit on a number of things that all calls share. */
export class SharedLimit {
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False: the limit is reached. */
  take(): boolean {
    if (this.#taken >= this.#limit) return false;
    this.#taken++;
    return true;
  }

  give(count: number): void {
    this.#taken -= count;
  }
}
