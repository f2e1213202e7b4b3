import type { Clock } from '../runtime/clock.ts';

/** A share of the time of the event loop: 50 ms in each second. */
const SHARE = 0.05;
const MOST_MS = 50;

/** Limits the time that a tap takes from the path of the records. */
export class WorkBudget {
  readonly #clock: Clock;
  #leftMs = MOST_MS;
  #countedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedMs = clock.monotonicMs();
  }

  /** Runs a small part of the work; false: there is no time left for it now. */
  spend(work: () => void): boolean {
    const startMs = this.#clock.monotonicMs();
    this.#leftMs = Math.min(MOST_MS, this.#leftMs + (startMs - this.#countedMs) * SHARE);
    this.#countedMs = startMs;
    if (this.#leftMs <= 0) return false;
    work();
    this.#countedMs = this.#clock.monotonicMs();
    this.#leftMs -= this.#countedMs - startMs;
    return true;
  }
}
