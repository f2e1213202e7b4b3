import type { Pool, PoolClient } from 'pg';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { HOUSEKEEPING } from '../../logstore/schema.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import { type AdvisoryLock, tryLockStatement } from './advisory-locks.ts';
import type { PostgresConfiguration } from './configuration.ts';
import { DayIndexes, type DayIndexKind } from './day-indexes.ts';
import { describeFailure } from './describe-failure.ts';
import type { PostgresEvents } from './events.ts';
import { beginText, inTransaction } from './in-transaction.ts';
import type { Layout } from './migrate.ts';
import { addDays, daysAhead, daysWorthAPartition, partitionsBefore, STEP_DAYS } from './partitions.ts';
import { reportUnreachable } from './report-unreachable.ts';
import { Retention, SCAN_TIMEOUT_MS } from './retention.ts';
import type { Tables } from './tables.ts';
import { boundChunks, chunksBefore } from './timescale.ts';

/**
 * Periodic maintenance: creates partitions for the next days, applies the retention, deletes old
 * bookkeeping entries and builds the indexes of days. Every aggregator tries; an advisory lock admits one. Nothing is urgent, so a failure
 * is retried at the next turn.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #retention: Retention;
  readonly #dayIndexes: DayIndexes;
  #running: Promise<void> = Promise.resolve();
  #cancelTick: Cancel = () => {};
  /** Days that need a partition. */
  readonly #waitingDays = new Set<number>();
  /** Days checked since the last turn. */
  readonly #knownDays = new Set<number>();

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#retention = new Retention({
      events: options.events,
      inTurn: (lock, work) => this.#inTurn(lock, work, SCAN_TIMEOUT_MS),
    });
    const { pool, events, signal, configuration } = options;
    this.#dayIndexes = new DayIndexes({
      kinds: indexKinds(configuration),
      ...{ pool, events, signal, schema: configuration.schema },
      inTurn: (lock, work) => this.#inTurn(lock, work),
    });
  }

  start(): void {
    this.#running = this.#turn();
  }

  /** Resolves when the current work has ended. */
  async stop(): Promise<void> {
    this.#cancelTick();
    await this.#running;
    this.#cancelTick();
    await this.#dayIndexes.stop();
  }

  /** Called after rows of these days were stored: creates missing partitions, and counts chunks. */
  async daysStored(days: ReadonlySet<number>, layout: Layout): Promise<void> {
    const isNew = (day: number) => !this.#knownDays.has(day);
    if (layout === 'timescale') {
      const news = [...days].filter(isNew);
      for (const day of news) this.#knownDays.add(day);
      if (news.length > 0) await this.#boundChunks();
      return;
    }
    const news = daysWorthAPartition(days, this.#nowUnixMs).filter(isNew);
    if (news.length > 0) await this.#partition(news);
  }

  async #boundChunks(): Promise<void> {
    const { schema } = this.#options.configuration;
    await this.#attempt('chunks', () => this.#inTurn('partitions', (client) => boundChunks(client, schema)));
  }

  /** Runs all maintenance once. */
  async turn(): Promise<void> {
    const { tables } = this.#options;
    this.#knownDays.clear();
    const layout = await this.#attempt('schema', () => tables.check());
    if (layout === undefined) return;
    if (layout === 'native') await this.#partition(daysAhead(this.#nowUnixMs));
    else await this.#boundChunks();
    await this.#attempt('books', () =>
      this.#inTurn('housekeeping', (client) => this.#trimBookkeeping(client)),
    );
    if (this.#options.configuration.retention_age > 0) {
      await this.#attempt('retention', () => this.#expire(layout));
    }
    if (layout === 'native')
      await this.#attempt('index of a day', () => this.#dayIndexes.turn(this.#nowUnixMs));
  }

  async #turn(): Promise<void> {
    await this.turn();
    if (this.#options.signal.aborted) return;
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#running = this.#turn();
    });
  }

  /**
   * Creates partitions for these and earlier remaining days, newest first; the next turn continues after the
   * limit.
   */
  async #partition(days: readonly number[]): Promise<void> {
    for (const day of days) {
      this.#knownDays.add(day);
      this.#waitingDays.add(day);
    }
    const step = [...this.#waitingDays].sort((a, b) => b - a).slice(0, STEP_DAYS);
    const added = await this.#attempt('partitions', () =>
      this.#inTurn('partitions', (client) => addDays(client, step)),
    );
    if (added === undefined) return;
    for (const day of step) this.#waitingDays.delete(day);
    if (added.length > 0) this.#options.events.partitionsAdded({ partitions: added.length });
  }

  async #trimBookkeeping(client: PoolClient): Promise<void> {
    const { writer } = this.#options;
    const older = (ms: number) => `now() - interval '${ms} milliseconds'`;
    // An idle writer still exists and will continue its flush numbers.
    await client.query('update writers set seen_at = now() where writer = $1', [writer]);
    await client.query(`delete from stored_ranges where stored_at < ${older(HOUSEKEEPING.storedRangesMs)}`);
    await client.query(
      `delete from touched_minutes where stored_at < ${older(HOUSEKEEPING.touchedMinutesMs)}`,
    );
    await client.query(`delete from writers where seen_at < ${older(HOUSEKEEPING.writersMs)}`);
    await client.query(`delete from streams where updated_at < ${older(HOUSEKEEPING.streamsMs)}`);
  }

  async #expire(layout: Layout): Promise<void> {
    const { retention_age, schema } = this.#options.configuration;
    const nowUnixMs = this.#nowUnixMs;
    const cutoffUnixMs = nowUnixMs - retention_age;
    const spans = await this.#inTurn('housekeeping', (client) =>
      layout === 'timescale'
        ? chunksBefore(client, schema, cutoffUnixMs)
        : partitionsBefore(client, cutoffUnixMs),
    );
    await this.#retention.dropSpans(spans ?? [], nowUnixMs, retention_age);
    if (layout === 'timescale') return;
    for (const table of [`${LOG_TABLE}_default`, `${LOG_TABLE}_old`]) {
      await this.#retention.deleteRows(table, nowUnixMs, retention_age);
    }
  }

  /** Returns undefined if another aggregator holds the lock. */
  #inTurn<T>(
    lock: AdvisoryLock,
    work: (client: PoolClient) => Promise<T>,
    timeoutMs = 2 * this.#options.configuration.statement_timeout,
  ): Promise<T | undefined> {
    const { pool, clock, signal, configuration } = this.#options;
    const { schema, statement_timeout } = configuration;
    const begin = beginText({
      isolation: 'read committed',
      schema,
      statementTimeoutMs: statement_timeout,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
    });
    return inTransaction(pool(), { begin, timeoutMs, clock, signal }, async (client) => {
      const { rows } = await client.query<{ mine: boolean }>(tryLockStatement(lock, schema));
      return rows[0]?.mine === true ? await work(client) : undefined;
    });
  }

  async #attempt<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const { signal, events, place } = this.#options;
      if (!signal.aborted && !reportUnreachable(events, place(), error))
        events.maintenanceFailed({ work: name, reason: describeFailure(error) });
      return undefined;
    }
  }

  get #nowUnixMs(): number {
    return Number(this.#options.clock.nowUnixNano() / 1_000_000n);
  }
}

/** Also the time until a newer schema version is detected. */
const TICK_MS = 60_000;
/** A partition change waits for running transactions and blocks later ones, so its wait is short. */
const LOCK_TIMEOUT_MS = 1000;

function indexKinds({ text_index, stream_index }: PostgresConfiguration): readonly DayIndexKind[] {
  return [
    ...(text_index === 'auto' ? (['text'] as const) : []),
    ...(stream_index === 'auto' ? (['stream'] as const) : []),
  ];
}

export interface MaintenanceOptions {
  readonly pool: () => Pool;
  readonly tables: Tables;
  readonly configuration: PostgresConfiguration;
  readonly writer: string;
  readonly clock: Clock;
  readonly events: PostgresEvents;
  readonly signal: AbortSignal;
  /** For messages. */
  readonly place: () => string;
}
