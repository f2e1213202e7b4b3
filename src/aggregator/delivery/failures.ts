import { InterruptibleWait } from '../../runtime/async/interruptible-wait.ts';
import type { Clock } from '../../runtime/clock.ts';
import { streakOf } from './delivery-state.ts';
import type { DeliveryEvents } from './events.ts';
import type { Failure } from './failure-streak.ts';
import type { Incidents } from './incidents.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { QueuedBatch } from './queued-batch.ts';
import { retryDelayMs } from './retry-delay.ts';

/** Reports the failures of one emitter's delivery, and waits before the next attempt. */
export class Failures {
  readonly #options: FailuresOptions;
  readonly #wait: InterruptibleWait;

  constructor(options: FailuresOptions) {
    this.#options = options;
    this.#wait = new InterruptibleWait(options.clock);
  }

  /**
   * Reports the failure and resolves after the retry delay. When the retries are used up, it first calls
   * `dropBatch`; if that returns true, there is no delay.
   */
  async failed(failure: Failure, queued: QueuedBatch | undefined, dropBatch: () => boolean): Promise<void> {
    const { lifecycle, retryCount, clock, events, incidents } = this.#options;
    const wasHolding = streakOf(lifecycle.activity)?.isHolding === true;
    const context = { nowUnixNano: clock.nowUnixNano(), retryCount };
    const streak = streakOf(lifecycle.on({ kind: 'failed', failure, context }).activity);
    if (streak === undefined) return;
    const delayMs = this.delayMs(streak.failures, failure.afterMs);
    events.failed({ reason: streak.reason, failures: streak.failures, delayMs });
    if (streak.isHolding) {
      incidents.failing(streak, queued);
      if (dropBatch()) {
        lifecycle.on({ kind: 'dropped' });
        return;
      }
      if (!wasHolding) events.held({ reason: streak.reason });
    }
    await this.#delay(delayMs);
  }

  delayMs(failures: number, afterMs: number | undefined): number {
    const { retryDelayMs: baseMs, random } = this.#options;
    return retryDelayMs({ failures, baseMs, afterMs, random });
  }

  /** Ends the current delay, if any. */
  endDelay(): void {
    this.#wait.end();
  }

  async #delay(ms: number): Promise<void> {
    const { lifecycle } = this.#options;
    if (lifecycle.on({ kind: 'delay-began' }).activity.kind === 'stopped') return;
    await this.#wait.wait(ms);
    lifecycle.on({ kind: 'delay-ended' });
  }
}

export interface FailuresOptions {
  readonly lifecycle: Lifecycle;
  readonly incidents: Incidents;
  readonly events: DeliveryEvents;
  readonly clock: Clock;
  readonly retryCount: number;
  readonly retryDelayMs: number;
  /** [0, 1) */
  readonly random: () => number;
}
