import type { Clock } from '../../runtime/clock.ts';

/**
 * Selects the aggregator. The first address is preferred; the next one is tried only when an address cannot
 * be reached or its call has ended. After ten to fifteen minutes on a later address, the earlier ones are tried
 * again: the time is random, so that not all collectors return at the same moment.
 */
export class Addresses {
  readonly #addresses: readonly string[];
  readonly #clock: Clock;
  readonly #goBackAfterMs: number;
  #index = 0;
  #since: number;

  constructor(addresses: readonly string[], clock: Clock, random: () => number = Math.random) {
    this.#addresses = addresses;
    this.#clock = clock;
    this.#goBackAfterMs = GO_BACK_AFTER_MS * (1 + random() / 2);
    this.#since = clock.monotonicMs();
  }

  get current(): string {
    return this.#addresses[this.#index] ?? '';
  }

  /** True when each address was tried once: the caller waits before the next round. */
  get atFirst(): boolean {
    return this.#index === 0;
  }

  /** Milliseconds until an earlier address is tried again; undefined on the first. */
  get goBackInMs(): number | undefined {
    if (this.#index === 0) return undefined;
    return Math.max(0, this.#since + this.#goBackAfterMs - this.#clock.monotonicMs());
  }

  /** The call ended after it had worked: starts with the first address again. */
  worked(): void {
    this.#moveTo(0);
  }

  failed(): void {
    this.#moveTo((this.#index + 1) % this.#addresses.length);
  }

  #moveTo(index: number): void {
    if (index !== this.#index) this.#since = this.#clock.monotonicMs();
    this.#index = index;
  }
}

const GO_BACK_AFTER_MS = 10 * 60_000;
