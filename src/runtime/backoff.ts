export interface BackoffOptions {
  /** The longest wait before the first retry. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** In [0, 1); injected for tests. */
  readonly random?: () => number;
}

/**
 * Exponential backoff with full jitter: before retry 1, 2, 3 ... a random part of base, 2 x base, 4 x base ... up to the
 * maximum. Full, so that a thousand collectors do not return in step.
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor({ baseMs, maxMs, random = Math.random }: BackoffOptions) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** How many waits were handed out since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /** How long to wait now; counts a failure. At least `atLeastMs` (a destination's Retry-After), even beyond the maximum. */
  nextMs(atLeastMs = 0): number {
    const ceilingMs = Math.min(this.#maxMs, this.#baseMs * 2 ** this.#failures);
    this.#failures++;
    return Math.max(atLeastMs, this.#random() * ceilingMs);
  }

  /** It worked. */
  reset(): void {
    this.#failures = 0;
  }
}
