import type { Cancel, Clock } from '../../src/runtime/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A clock that the test advances. */
export class FakeClock implements Clock {
  #monotonicMs = 0;
  #wallOffsetNano: bigint;
  #timers = new Set<Timer>();
  #order = 0;

  constructor(startUnixMs = 1_700_000_000_000) {
    this.#wallOffsetNano = BigInt(startUnixMs) * 1_000_000n;
  }

  nowUnixNano(): bigint {
    return this.#wallOffsetNano + BigInt(Math.round(this.#monotonicMs * 1e6));
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = () => {
        cancel();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  after(ms: number, callback: () => void): Cancel {
    const timer: Timer = { at: this.#monotonicMs + ms, order: this.#order++, fire: callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** The number of waiting timers. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Advances the time by `ms`, runs due timers in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const until = this.#monotonicMs + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers]
        .filter(({ at }) => at <= until)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#monotonicMs = Math.max(this.#monotonicMs, due.at);
      due.fire();
      await settle();
    }
    this.#monotonicMs = until;
    await settle();
  }

  /** Changes the wall clock without moving a timer. */
  jumpWallClock(ms: number): void {
    this.#wallOffsetNano += BigInt(ms) * 1_000_000n;
  }
}

/** Runs everything that is ready. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
