import type { PoolClient } from 'pg';
import type { AdvisoryLock } from './advisory-locks.ts';
import type { PostgresEvents } from './events.ts';
import type { ExpiredSpan } from './expired-span.ts';

/**
 * Deletes records that were read longer ago than the retention. The age counts from when a record was read,
 * not from its own time: an old archive that is imported today is kept for the whole retention. The embedded
 * store has the same rule.
 *
 *     days and chunks      are dropped as a whole when their time has passed and none of their records is younger.
 *                          Each in its own transaction: a transaction has a limited number of locks
 *     other tables         lose their old rows, some thousand blocks in a turn
 */
export class Retention {
  readonly #options: RetentionOptions;
  /** The time of the next check of a span or table, derived from its newest (oldest) record. */
  readonly #nextLook = new Map<string, number>();
  /** The block at which the next turn continues. */
  readonly #nextBlock = new Map<string, number>();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  async dropSpans(spans: readonly ExpiredSpan[], nowUnixMs: number, retentionMs: number): Promise<void> {
    for (const span of spans) {
      if ((this.#nextLook.get(span.name) ?? 0) > nowUnixMs) continue;
      const newest = await this.#options.inTurn('housekeeping', (client) => newestIn(client, span.table));
      if (newest === undefined) continue;
      const expiresUnixMs = newest.unixMs + retentionMs;
      if (expiresUnixMs > nowUnixMs) this.#nextLook.set(span.name, expiresUnixMs);
      else await this.#drop(span, nowUnixMs - retentionMs);
    }
  }

  async deleteRows(table: string, nowUnixMs: number, retentionMs: number): Promise<void> {
    if ((this.#nextLook.get(table) ?? 0) > nowUnixMs) return;
    let rows = 0;
    for (let step = 0; step < STEPS; step++) {
      const deleted = await this.#options.inTurn('housekeeping', (client) =>
        deleteBlocks(client, {
          table,
          block: this.#nextBlock.get(table) ?? 0,
          cutoffUnixMs: nowUnixMs - retentionMs,
        }),
      );
      if (deleted === undefined) break;
      rows += deleted.rows;
      this.#nextBlock.set(table, deleted.nextBlock);
      if (deleted.nextBlock !== 0) continue;
      if (!deleted.isEmpty) this.#nextLook.set(table, nowUnixMs + LOOK_INTERVAL_MS);
      break;
    }
    if (rows > 0) this.#options.events.rowsExpired({ table, rows });
  }

  /** Checks again under a lock that prevents inserts: a record may have been added meanwhile. */
  async #drop(span: ExpiredSpan, cutoffUnixMs: number): Promise<void> {
    const rows = await this.#options.inTurn('partitions', async (client) => {
      await client.query(`lock table ${span.table} in share mode`);
      const newest = await newestIn(client, span.table);
      if (newest.unixMs > cutoffUnixMs) return undefined;
      await client.query(span.drop.text, [...span.drop.values]);
      return newest.rows;
    });
    if (rows === undefined) return;
    this.#nextLook.delete(span.name);
    this.#options.events.partitionDropped({ partition: span.name, rows });
  }
}

export interface RetentionOptions {
  readonly events: PostgresEvents;
  /** Runs `work` in its own transaction; returns undefined if another aggregator has the lock. */
  inTurn<T>(lock: AdvisoryLock, work: (client: PoolClient) => Promise<T>): Promise<T | undefined>;
}

/** Timeout for reading a whole day. */
export const SCAN_TIMEOUT_MS = 600_000;
/** Interval between scans of a table that is not partitioned by days. */
const LOOK_INTERVAL_MS = 3_600_000;
/** Blocks of 8 KiB scanned in one transaction, and the number of such steps in a turn. */
const STEP_BLOCKS = 1000;
const STEPS = 50;

async function newestIn(client: PoolClient, table: string): Promise<{ rows: number; unixMs: number }> {
  await client.query(`set local statement_timeout = ${SCAN_TIMEOUT_MS}`);
  const { rows } = await client.query<{ rows: string; unix_ms: number }>(
    `select count(*) as rows, coalesce(extract(epoch from max(observed_time)) * 1000, 0)::float8 as unix_ms from ${table}`,
  );
  return { rows: Number(rows[0]?.rows ?? 0), unixMs: rows[0]?.unix_ms ?? 0 };
}

interface BlockStep {
  readonly table: string;
  readonly block: number;
  readonly cutoffUnixMs: number;
}

/** `nextBlock`: 0 at the end of the table. */
async function deleteBlocks(
  client: PoolClient,
  { table, block, cutoffUnixMs }: BlockStep,
): Promise<{ rows: number; nextBlock: number; isEmpty: boolean }> {
  const size = await client.query<{ blocks: string }>(
    `select pg_relation_size($1::regclass) / current_setting('block_size')::int as blocks`,
    [table],
  );
  const blocks = Number(size.rows[0]?.blocks ?? 0);
  const end = block + STEP_BLOCKS;
  const { rowCount } = await client.query(
    `delete from ${table} where ctid >= '(${block},0)' and ctid < '(${end},0)' and observed_time < to_timestamp($1::float8)`,
    [cutoffUnixMs / 1000],
  );
  return { rows: rowCount ?? 0, nextBlock: end < blocks ? end : 0, isEmpty: blocks === 0 };
}
