import type { Pool, PoolClient } from 'pg';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import { LOG_TABLE } from '../../store/log-columns.ts';
import { HOUSEKEEPING } from '../../store/schema.ts';
import { type AdvisoryLock, tryLockStatement } from './advisory-locks.ts';
import type { PostgresConfiguration } from './configuration.ts';
import type { PostgresEvents } from './events.ts';
import { reasonOf } from './failure.ts';
import type { Layout } from './migrate.ts';
import { addDays, daysAhead, daysWorthAPartition, partitionsBefore, STEP_DAYS } from './partitions.ts';
import type { Tables } from './tables.ts';
import { dropChunks } from './timescale.ts';
import { beginText, inTransaction } from './transaction.ts';

/** Also how long it takes until a schema that has become newer is noticed. */
const TICK_MS = 60_000;
/** Changing partitions waits for who uses them, and others wait behind that; so it does not wait long. */
const LOCK_TIMEOUT_MS = 1000;
/** Rows outside of partitions are deleted in steps, each a short transaction. */
const DELETE_ROWS = 10_000;
const DELETE_STEPS = 50;

export interface HousekeepingOptions {
  readonly pool: () => Pool;
  readonly tables: Tables;
  readonly configuration: PostgresConfiguration;
  readonly writer: string;
  readonly clock: Clock;
  readonly events: PostgresEvents;
  readonly signal: AbortSignal;
}

/**
 * What has to be done once in a while, whoever does it: partitions for the days to come, retention, old entries of the
 * books. Every aggregator tries; an advisory lock lets one through. Nothing of it is urgent, so what fails is tried again
 * at the next turn.
 */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #running: Promise<void> = Promise.resolve();
  #cancelTick: Cancel = () => {};
  /** Days that want a partition, if they have none. */
  readonly #waitingDays = new Set<number>();
  /** Days that were looked at since the last turn. */
  readonly #knownDays = new Set<number>();

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#turn();
  }

  /** Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#cancelTick();
    await this.#running;
    this.#cancelTick();
  }

  /** Rows of these days were stored: those that have no partition get one. */
  async daysStored(days: ReadonlySet<number>): Promise<void> {
    const { retention_age } = this.#options.configuration;
    const news = daysWorthAPartition(days, {
      nowUnixMs: this.#nowUnixMs,
      retentionMs: retention_age,
    }).filter((day) => !this.#knownDays.has(day));
    if (news.length > 0) await this.#partition(news);
  }

  /** Everything once. */
  async turn(): Promise<void> {
    const { tables } = this.#options;
    this.#knownDays.clear();
    const layout = await this.#attempt('schema', () => tables.check());
    if (layout === undefined) return;
    if (layout === 'native') await this.#partition(daysAhead(this.#nowUnixMs));
    await this.#attempt('books', () =>
      this.#inTurn('housekeeping', (client) => this.#keepBooksShort(client)),
    );
    if (this.#options.configuration.retention_age > 0) {
      await this.#attempt('retention', () => this.#expire(layout));
    }
  }

  async #turn(): Promise<void> {
    await this.turn();
    if (this.#options.signal.aborted) return;
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#running = this.#turn();
    });
  }

  /** These days and those left from before, the newest first; what is too much for one step is left for the next turn. */
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
    if (added.length > 0) this.#options.events.partitionsAdded(added.length);
  }

  async #keepBooksShort(client: PoolClient): Promise<void> {
    const { writer } = this.#options;
    const older = (ms: number) => `now() - interval '${ms} milliseconds'`;
    // A writer that has nothing to write is still there, and goes on counting one day.
    await client.query('update writers set seen_at = now() where writer = $1', [writer]);
    await client.query(`delete from stored_ranges where stored_at < ${older(HOUSEKEEPING.storedRangesMs)}`);
    await client.query(
      `delete from touched_minutes where stored_at < ${older(HOUSEKEEPING.touchedMinutesMs)}`,
    );
    await client.query(`delete from writers where seen_at < ${older(HOUSEKEEPING.writersMs)}`);
    await client.query(`delete from streams where updated_at < ${older(HOUSEKEEPING.streamsMs)}`);
  }

  async #expire(layout: Layout): Promise<void> {
    const cutoffUnixMs = this.#nowUnixMs - this.#options.configuration.retention_age;
    if (layout === 'timescale') {
      await this.#inTurn('housekeeping', (client) => dropChunks(client, cutoffUnixMs));
      return;
    }
    const old = await this.#inTurn('housekeeping', (client) => partitionsBefore(client, cutoffUnixMs));
    for (const partition of old ?? []) {
      // The name was made of a day's digits.
      const dropped = await this.#inTurn('partitions', (client) =>
        client.query(`drop table if exists ${partition}`),
      );
      if (dropped !== undefined) this.#options.events.partitionDropped(partition);
    }
    for (const table of [`${LOG_TABLE}_default`, `${LOG_TABLE}_old`]) {
      await this.#expireRows(table, cutoffUnixMs);
    }
  }

  async #expireRows(table: string, cutoffUnixMs: number): Promise<void> {
    for (let step = 0; step < DELETE_STEPS; step++) {
      const deleted = await this.#inTurn('housekeeping', (client) =>
        client.query(
          `delete from ${table} where ctid = any (array(
             select ctid from ${table} where time < to_timestamp($1::float8) limit ${DELETE_ROWS}))`,
          [cutoffUnixMs / 1000],
        ),
      );
      const rows = deleted?.rowCount ?? 0;
      this.#options.events.rowsExpired(rows);
      if (rows < DELETE_ROWS) return;
    }
  }

  /** undefined: another aggregator is at it. */
  #inTurn<T>(lock: AdvisoryLock, work: (client: PoolClient) => Promise<T>): Promise<T | undefined> {
    const { pool, clock, signal, configuration } = this.#options;
    const { schema, statement_timeout } = configuration;
    const begin = beginText({
      isolation: 'read committed',
      schema,
      statementTimeoutMs: statement_timeout,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
    });
    return inTransaction(
      pool(),
      { begin, timeoutMs: 2 * statement_timeout, clock, signal },
      async (client) => {
        const { rows } = await client.query<{ mine: boolean }>(tryLockStatement(lock, schema));
        return rows[0]?.mine === true ? await work(client) : undefined;
      },
    );
  }

  async #attempt<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!this.#options.signal.aborted) this.#options.events.housekeepingFailed(name, reasonOf(error));
      return undefined;
    }
  }

  get #nowUnixMs(): number {
    return Number(this.#options.clock.nowUnixNano() / 1_000_000n);
  }
}
