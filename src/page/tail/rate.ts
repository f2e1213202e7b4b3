const WINDOW_SECONDS = 5;

/** Events per second over the last seconds. */
export class Rate {
  readonly #counts = new Map<number, number>();
  readonly #startMs: number;

  constructor(nowMs: number) {
    this.#startMs = nowMs;
  }

  add(count: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + count);
    for (const old of this.#counts.keys()) if (old <= second - WINDOW_SECONDS - 1) this.#counts.delete(old);
  }

  perSecond(nowMs: number): number {
    const fromMs = nowMs - WINDOW_SECONDS * 1000;
    let sum = 0;
    for (const [second, count] of this.#counts) if (second * 1000 >= fromMs) sum += count;
    return sum / Math.min(Math.max((nowMs - this.#startMs) / 1000, 1), WINDOW_SECONDS);
  }
}
