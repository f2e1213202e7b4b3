/** Runs one decision after the other, in the order in which they were asked for. */
export class Decisions {
  readonly #onFailure: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Resolves when it has run, or has failed; the failure is reported. */
  run(decision: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(decision).catch(this.#onFailure);
    return this.#last;
  }

  /** Resolves when all that was asked for has run. */
  idle(): Promise<void> {
    return this.#last;
  }
}
