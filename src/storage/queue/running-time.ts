import type { Clock } from '../../runtime/clock.ts';
import type { StateStore } from '../state/state-store.ts';
import { changeTotals, NO_TOTALS, type QueueTables, TOTALS } from './queue-tables.ts';

/**
 * Counts the days in which a process is running, across all restarts. Retention in days uses these days: a
 * clock that jumps, or a machine that was off for a year, removes nothing.
 */
export class RunningTime {
  readonly #store: StateStore;
  readonly #tables: QueueTables;
  readonly #clock: Clock;
  #seconds: number;
  #countedMs: number;

  constructor(store: StateStore, tables: QueueTables, clock: Clock) {
    this.#store = store;
    this.#tables = tables;
    this.#clock = clock;
    this.#seconds = (tables.totals.get(TOTALS) ?? NO_TOTALS).runningSeconds;
    this.#countedMs = clock.monotonicMs();
  }

  get day(): number {
    return Math.floor((this.#seconds + this.#uncountedSeconds()) / SECONDS_PER_DAY);
  }

  /** The time since the last save is lost in a kill: this only extends the retention. */
  async save(): Promise<void> {
    const seconds = this.#seconds + this.#uncountedSeconds();
    const nowMs = this.#clock.monotonicMs();
    await this.#store.write(() =>
      changeTotals(this.#tables, (totals) => ({ ...totals, runningSeconds: seconds })),
    );
    this.#seconds = seconds;
    this.#countedMs = nowMs;
  }

  #uncountedSeconds(): number {
    return (this.#clock.monotonicMs() - this.#countedMs) / 1000;
  }
}

const SECONDS_PER_DAY = 86_400;
