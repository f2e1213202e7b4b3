import type { EntryNumber } from './queue-contract.ts';

/** Callers that wait for a future entry. */
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

  /** All entries below `next` exist. */
  announce(next: EntryNumber): void {
    for (const waiter of this.#waiters) {
      if (waiter.entry >= next) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}

interface Waiter {
  readonly entry: EntryNumber;
  readonly resolve: () => void;
}
