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

  /** The same, with the failure for the caller. */
  async attempt(decision: () => Promise<void>): Promise<{ readonly failure: unknown } | undefined> {
    let failed: { readonly failure: unknown } | undefined;
    await this.run(async () => {
      try {
        await decision();
      } catch (failure) {
        failed = { failure };
      }
    });
    return failed;
  }

  /** Resolves when all that was asked for has run. */
  idle(): Promise<void> {
    return this.#last;
  }
}
