/** The wait before the next attempt: doubles each time, with a random reduction of up to half. */
export class Backoff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #nextMs: number;

  constructor({ initialMs = 500, maxMs = 30_000, random = Math.random }: BackoffOptions = {}) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
    this.#random = random;
    this.#nextMs = initialMs;
  }

  nextMs(): number {
    const delayMs = this.#nextMs * (1 - this.#random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#maxMs);
    return delayMs;
  }

  reset(): void {
    this.#nextMs = this.#initialMs;
  }
}

export interface BackoffOptions {
  /** Default 0.5 s. */
  readonly initialMs?: number | undefined;
  /** Default 30 s. */
  readonly maxMs?: number | undefined;
  /** Random number from 0 to 1 for the jitter. */
  readonly random?: (() => number) | undefined;
}
