import type { EntryNumber } from './queue-contract.ts';

interface Waiter {
  readonly entry: EntryNumber;
  readonly resolve: () => void;
}

/** Those who wait for an entry that is not there yet. */
export class Arrivals {
  readonly #waiters = new Set<Waiter>();

  /** Resolves when `announce` has been called with a number above `entry`; rejects when the signal aborts. */
  waitFor(entry: EntryNumber, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        entry,
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#waiters.delete(waiter);
        reject(signal.reason as Error);
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Every entry below `next` is there. */
  announce(next: EntryNumber): void {
    for (const waiter of this.#waiters) {
      if (waiter.entry >= next) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
