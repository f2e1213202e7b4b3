import type { Cancel, Clock } from '../clock.ts';

/** Something that is to happen once, at a time that may still change. */
export class Timer {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** In `ms`, whatever it was set to before. */
  set(ms: number): void {
    this.cancel();
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      this.#ring();
    });
  }

  /** In `ms`, unless it is set already. */
  setIfUnset(ms: number): void {
    if (this.#cancel === undefined) this.set(ms);
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
