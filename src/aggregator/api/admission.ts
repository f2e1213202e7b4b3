import type { Clock } from '../../runtime/clock.ts';
import { busy, timedOut } from './api-error.ts';

/**
 * Limits the queries of the store: at most `maxRunning` run and `maxWaiting` wait; others are rejected. A
 * client that disconnects leaves the queue. A running query keeps its place until the store is done, also
 * after its client has disconnected: otherwise a client that sends queries and disconnects could run any
 * number of them.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #line = new Set<Waiter>();
  #running = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** Rejects with HttpError (503, 504), or with the error of the task. */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const { clock, timeLimitMs } = this.#options;
    const untilMs = clock.monotonicMs() + timeLimitMs;
    await this.#enter(signal);
    const running = (async () => {
      try {
        return await task();
      } finally {
        this.#leave();
      }
    })();
    return await this.#within(untilMs - clock.monotonicMs(), running);
  }

  async #enter(signal: AbortSignal): Promise<void> {
    const { maxRunning, maxWaiting, timeLimitMs, clock } = this.#options;
    if (this.#running < maxRunning) {
      this.#running++;
      return;
    }
    if (this.#line.size >= maxWaiting) throw busy('Too many queries are waiting. Try again later.');
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => {
        end();
        reject(busy('The query waited too long for other queries. Try again later.'));
      };
      const end = () => {
        this.#line.delete(waiter);
        cancel();
        signal.removeEventListener('abort', giveUp);
      };
      const waiter: Waiter = {
        admit: () => {
          end();
          resolve();
        },
      };
      const cancel = clock.after(timeLimitMs, giveUp);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#line.add(waiter);
      if (signal.aborted) giveUp();
    });
  }

  /** Passes the place to the first in the queue. */
  #leave(): void {
    const [next] = this.#line;
    if (next === undefined) this.#running--;
    else next.admit();
  }

  #within<T>(ms: number, running: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(ms, () => reject(timedOut()));
      running.then(resolve, reject).finally(cancel);
    });
  }
}

export interface AdmissionOptions {
  readonly maxRunning: number;
  readonly maxWaiting: number;
  /** For waiting and running together. */
  readonly timeLimitMs: number;
  readonly clock: Clock;
}

interface Waiter {
  admit(): void;
}
