import type { Clock } from '../../runtime/clock.ts';

const GO_BACK_AFTER_MS = 10 * 60_000;

/**
 * Which aggregator to talk to. The first is the one that is wanted; the next is tried only when an address cannot be
 * reached or its call has ended, and after ten minutes on a later one the earlier ones are tried again.
 */
export class Addresses {
  readonly #addresses: readonly string[];
  readonly #clock: Clock;
  #index = 0;
  #since: number;

  constructor(addresses: readonly string[], clock: Clock) {
    this.#addresses = addresses;
    this.#clock = clock;
    this.#since = clock.monotonicMs();
  }

  get current(): string {
    return this.#addresses[this.#index] ?? '';
  }

  /** True for every address once: time to wait before the round begins again. */
  get atFirst(): boolean {
    return this.#index === 0;
  }

  /** Milliseconds until an earlier address should be tried again; undefined on the first. */
  get goBackInMs(): number | undefined {
    if (this.#index === 0) return undefined;
    return Math.max(0, this.#since + GO_BACK_AFTER_MS - this.#clock.monotonicMs());
  }

  /** The call ended after it had worked: begin with the first again. */
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
