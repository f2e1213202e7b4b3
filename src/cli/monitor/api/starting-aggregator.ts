import { systemClock } from '../../../runtime/clock.ts';
import { isLoopback } from '../../../runtime/configuration/address.ts';
import { ApiError } from './api-error.ts';
import type { Connection } from './connection.ts';

const PAUSE_MS = 100;

/**
 * Repeats a request while the aggregator on this machine does not listen yet: it may have been started a
 * moment ago, by the command before this one. Does not wait for an aggregator on another machine, or for one
 * that has answered before.
 */
export class StartingAggregator {
  readonly #isAwaited: boolean;
  readonly #deadlineMs: number;
  #hasAnswered = false;

  constructor({ url, waitMs }: Pick<Connection, 'url' | 'waitMs'>) {
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
    this.#isAwaited = isLoopback({ host, port: 0 });
    this.#deadlineMs = systemClock.monotonicMs() + waitMs;
  }

  async reach<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      try {
        const answer = await request();
        this.#hasAnswered = true;
        return answer;
      } catch (error) {
        if (!this.#mayStillCome(error)) throw error;
        await systemClock.sleep(PAUSE_MS, signal);
      }
    }
  }

  /** Whether there is time left to wait for the first records, too. */
  get isWaiting(): boolean {
    return this.#isAwaited && systemClock.monotonicMs() < this.#deadlineMs;
  }

  #mayStillCome(error: unknown): boolean {
    return !this.#hasAnswered && this.isWaiting && error instanceof ApiError && error.isRefusedConnection;
  }
}
