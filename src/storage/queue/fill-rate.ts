import type { Clock } from '../../runtime/clock.ts';

/** The growth rate of a number over the last five minutes. */
export class FillRate {
  readonly #clock: Clock;
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records the current number; returns its growth per millisecond, 0 when it is not known yet. */
  sample(bytes: number): number {
    const atMs = this.#clock.monotonicMs();
    const oldest = this.#samples[0];
    const newest = this.#samples.at(-1);
    if (newest === undefined || atMs - newest.atMs >= SAMPLE_EVERY_MS) {
      this.#samples.push({ atMs, bytes });
      if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    }
    if (oldest === undefined || atMs <= oldest.atMs) return 0;
    return (bytes - oldest.bytes) / (atMs - oldest.atMs);
  }
}

const SAMPLE_EVERY_MS = 10_000;
const MAX_SAMPLES = 30;
