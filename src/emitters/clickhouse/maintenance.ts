import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { numberOf } from '../../logstore/sql/sql-row.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { ClickHouseConfiguration } from './configuration.ts';
import type { Connection } from './connection.ts';
import { describeFailure, isUnreachable } from './describe-failure.ts';
import type { ClickHouseEvents } from './events.ts';
import { CHANGE_SETTINGS, QUERY_SETTINGS } from './query-settings.ts';
import { buildTextIndex } from './text-index.ts';

/**
 * Creates the tables after a start, applies the retention, and lets the server index the texts of a day. Every aggregator
 * does this; a repetition has no effect. A failure is retried at the next turn. Notes of flushes expire by the TTL of their tables.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  #running: Promise<void> = Promise.resolve();
  #cancelTick: Cancel = () => {};

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#tick();
  }

  /** Resolves when the current work has ended. */
  async stop(): Promise<void> {
    this.#cancelTick();
    await this.#running;
    this.#cancelTick();
  }

  /** Runs all maintenance once. */
  async turn(): Promise<void> {
    const { ready, configuration, events, signal, unreachable } = this.#options;
    try {
      await ready();
      if (configuration.retention_age > 0) await this.#expire();
      if (configuration.text_index === 'off') return;
      const day = await buildTextIndex(this.#options);
      if (day !== undefined) events.textIndexBegun({ day });
    } catch (error) {
      if (signal.aborted) return;
      if (isUnreachable(error)) unreachable(error);
      else events.maintenanceFailed({ reason: describeFailure(error) });
    }
  }

  async #tick(): Promise<void> {
    await this.turn();
    if (this.#options.signal.aborted) return;
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#running = this.#tick();
    });
  }

  /**
   * Deletes the days of which all records were read before the retention. Not by dropping the partition: another
   * aggregator may be storing a record of that day, which it has just read. A mutation deletes only old records, and
   * the server removes parts that are empty then.
   */
  async #expire(): Promise<void> {
    const { configuration, clock, events, connection, signal } = this.#options;
    const cutoffUnixMicro = Number(clock.nowUnixNano() / 1000n) - configuration.retention_age * 1000;
    const cutoff = `fromUnixTimestamp64Micro(${Math.max(0, Math.floor(cutoffUnixMicro))}, 'UTC')`;
    const request = { timeoutMs: configuration.timeout, signal };
    const days = await connection().query(
      `select toYYYYMMDD(time) as day, count(*) as records from ${LOG_TABLE}
        where time < toStartOfDay(${cutoff}) group by day having max(observed_time) < ${cutoff} order by day settings final = 0`,
      { ...request, settings: QUERY_SETTINGS },
    );
    for (const row of days) {
      const day = numberOf(row, 'day');
      await connection().command(
        `alter table ${LOG_TABLE} delete in partition ${day} where observed_time < ${cutoff}`,
        { ...request, settings: CHANGE_SETTINGS },
      );
      events.partitionDropped({ day, rows: numberOf(row, 'records') });
    }
  }
}

const TICK_MS = 60_000;

export interface MaintenanceOptions {
  readonly connection: () => Connection;
  /** Resolves when the tables exist. */
  readonly ready: () => Promise<void>;
  readonly configuration: ClickHouseConfiguration;
  readonly clock: Clock;
  readonly events: ClickHouseEvents;
  readonly signal: AbortSignal;
  readonly unreachable: (error: unknown) => void;
}
