import type { Clock } from '../clock.ts';

/** A wait that can be ended early. */
export class InterruptibleWait {
  readonly #clock: Clock;
  #end: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after `ms` (infinite: never), or at `end`. */
  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = Number.isFinite(ms) ? this.#clock.after(ms, resolve) : undefined;
      this.#end = () => {
        cancel?.();
        resolve();
      };
    });
    this.#end = undefined;
  }

  /** Ends the current wait, if any. */
  end(): void {
    this.#end?.();
  }
}
