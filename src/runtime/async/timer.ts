import type { Cancel, Clock } from '../clock.ts';

/** Calls a function once, at a time that can still be changed. */
export class Timer {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Sets the timer to `ms` from now, replacing an earlier time. */
  set(ms: number): void {
    this.cancel();
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      this.#ring();
    });
  }

  /** Sets the timer to `ms` from now, unless it is set already. */
  setIfUnset(ms: number): void {
    if (this.#cancel === undefined) this.set(ms);
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
