/** Older samples are dropped, so that the rate follows a link that becomes slower. */
const WINDOW_MS = 10_000;

/** The rate at which an amount decreases, over the last seconds. */
export class RemainingRate {
  #samples: { readonly atMs: number; readonly remaining: number }[] = [];

  add(atMs: number, remaining: number): void {
    // More data was found: the earlier samples say nothing about the rate.
    if (remaining > (this.#samples.at(-1)?.remaining ?? 0)) this.#samples = [];
    this.#samples.push({ atMs, remaining });
    while ((this.#samples[1]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#samples.shift();
  }

  /** undefined: the amount does not decrease, or the rate is not known yet. */
  get perSecond(): number | undefined {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs === first.atMs) return undefined;
    const rate = ((first.remaining - last.remaining) * 1000) / (last.atMs - first.atMs);
    return rate > 0 ? rate : undefined;
  }

  /** Seconds until nothing remains, at this rate. */
  get secondsLeft(): number | undefined {
    const rate = this.perSecond;
    const last = this.#samples.at(-1);
    return rate === undefined || last === undefined ? undefined : last.remaining / rate;
  }
}
