import type { Cancel, Clock } from './clock.ts';

/** The counters of one thing, always in the same order. They may also decrease, as an amount that waits does. */
export type Counters = readonly number[];

interface Reading {
  readonly atMs: number;
  readonly counters: ReadonlyMap<string, Counters>;
}

/** With less time between two readings, one batch more or less would change a rate too much. */
const MIN_MS = 500;
const FORGET_MS = 60_000;

/**
 * Rates of many counters between the requests of clients that look at them, such as `top`. Nothing is read or kept
 * while no client looks: the readings are forgotten a minute after the last request.
 */
export class CounterRates {
  readonly #clock: Clock;
  #older: Reading | undefined;
  #newer: Reading | undefined;
  #forget: Cancel = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns a function for the change per second of the counters of a thing; undefined: not known yet. */
  measure(counters: ReadonlyMap<string, Counters>): (key: string) => Counters | undefined {
    const atMs = this.#clock.monotonicMs();
    const newer = this.#newer;
    if (newer === undefined || atMs - newer.atMs >= MIN_MS) {
      this.#older = newer;
      this.#newer = { atMs, counters };
    }
    this.#forgetLater();
    const before = this.#older;
    if (before === undefined) return () => undefined;
    const seconds = (atMs - before.atMs) / 1000;
    return (key) => {
      const then = before.counters.get(key);
      if (then === undefined) return undefined;
      return counters.get(key)?.map((value, at) => (value - (then[at] ?? 0)) / seconds);
    };
  }

  #forgetLater(): void {
    this.#forget();
    this.#forget = this.#clock.after(FORGET_MS, () => {
      this.#older = undefined;
      this.#newer = undefined;
    });
  }
}
