import { repeat } from '../../runtime/async/repeat.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { QueueEvents } from './events.ts';
import type { Forgetting } from './forgetting.ts';
import type { StreamLedger } from './ledger.ts';
import type { RunningTime } from './running-time.ts';
import type { Trimming } from './trimming.ts';

const INTERVAL_MS = 10 * 60 * 1000;

export interface MaintenanceParts {
  readonly runningTime: RunningTime;
  readonly ledger: StreamLedger;
  readonly forgetting: Forgetting;
  readonly trimming: Trimming;
  readonly clock: Clock;
  readonly events: QueueEvents;
}

/** Every ten minutes: saves the running time, removes old streams, and trims the queue. */
export class Maintenance {
  readonly #parts: MaintenanceParts;
  #cancel: Cancel = () => {};
  #isStopped = false;

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#cancel = repeat(this.#parts.clock, INTERVAL_MS, () => this.#run());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  async #run(): Promise<void> {
    const { runningTime, ledger, forgetting, trimming, events } = this.#parts;
    try {
      await runningTime.save();
      await ledger.writeTouched();
      while (!this.#isStopped && !(await forgetting.turn()));
    } catch (error) {
      events.backgroundWriteFailed({ err: error, what: 'the maintenance of the queue' });
    }
    await trimming.trim();
  }
}
