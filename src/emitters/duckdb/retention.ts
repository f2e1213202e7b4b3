import type { DuckDBConnection } from '@duckdb/node-api';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { HOUSEKEEPING } from '../../logstore/schema.ts';
import type { SqlValue } from '../../logstore/sql/sql.ts';
import type { SqlRow } from '../../logstore/sql/sql-database.ts';
import { runStatement } from './run-statement.ts';
import { sqlFailure } from './sql-failure.ts';

/**
 * Deletes old records in small steps. The caller lets flushes run between two steps.
 *
 *     by age     records that were observed longer ago. Not by the time in the record: an old log that is read today
 *                would be deleted before it can be searched
 *     by size    the records that were stored first, until the used blocks are slightly below the limit
 *
 * The ranges of streams are kept: stored records are never stored again. The file does not shrink; its free
 * blocks are reused, so it becomes slightly larger than the limit.
 */
export class Retention {
  readonly #connection: DuckDBConnection;
  readonly #limits: RetentionLimits;
  readonly #stepRows: number;
  /** Rows deleted since the last checkpoint. */
  #freeRows = 0;
  /** Rows that still have to be deleted because of the size. */
  #excessRows = 0;
  #tidiedUnixMicro = 0;

  constructor(connection: DuckDBConnection, limits: RetentionLimits) {
    this.#connection = connection;
    this.#limits = limits;
    this.#stepRows = limits.stepRows ?? STEP_ROWS;
  }

  /** Runs the next step of a round; the round ends when nothing is left. */
  async step(nowUnixMicro: number): Promise<RetentionStep> {
    await this.#tidy(nowUnixMicro);
    const aged = await this.#deleteAged(nowUnixMicro);
    if (aged.isMore) return aged;
    const excess = await this.#deleteExcess();
    return excess.rows > 0 ? excess : aged;
  }

  async #deleteAged(nowUnixMicro: number): Promise<RetentionStep> {
    const { ageMs } = this.#limits;
    if (ageMs === 0) return NOTHING;
    const rows = await this.#delete(
      `rowid in (select rowid from ${LOG_TABLE} where observed_time < make_timestamptz($1) limit $2)`,
      [Math.trunc(nowUnixMicro - ageMs * 1000), this.#stepRows],
    );
    return rows === 0 ? NOTHING : { rows, why: 'age', isMore: rows === this.#stepRows };
  }

  async #deleteExcess(): Promise<RetentionStep> {
    if (this.#limits.sizeBytes === 0) return NOTHING;
    if (this.#excessRows <= 0) this.#excessRows = await this.#findExcess();
    if (this.#excessRows <= 0) return NOTHING;
    const first = await this.#number(`select coalesce(min(rowid), 0) as n from ${LOG_TABLE}`);
    const rows = await this.#delete('rowid between $1 and $2', [first, first + this.#stepRows - 1]);
    this.#excessRows = rows === 0 ? 0 : this.#excessRows - rows;
    if (this.#excessRows <= 0) await this.#checkpoint();
    return { rows, why: 'size', isMore: rows > 0 };
  }

  /** The number of rows to delete, in whole row groups. */
  async #findExcess(): Promise<number> {
    const used = await this.#usedBytes();
    if (used <= this.#limits.sizeBytes) return 0;
    const rows = await this.#number(`select count(*) as n from ${LOG_TABLE}`);
    const share = (used - this.#limits.sizeBytes * SIZE_GOAL) / used;
    return Math.ceil((rows * share) / GROUP_ROWS) * GROUP_ROWS;
  }

  async #usedBytes(): Promise<number> {
    const [row] = await this.#run(
      'select block_size * used_blocks as n from pragma_database_size() where database_name = current_database()',
    );
    return Number(row?.n ?? 0);
  }

  async #delete(where: string, values: readonly SqlValue[]): Promise<number> {
    const [row] = await this.#run(`delete from ${LOG_TABLE} where ${where}`, values);
    const rows = Number(row?.Count ?? 0);
    this.#freeRows += rows;
    if (this.#freeRows >= CHECKPOINT_ROWS) await this.#checkpoint();
    return rows;
  }

  /**
   * Frees the space of deleted rows by a checkpoint. It fails while others write; DuckDB runs one by itself
   * later.
   */
  async #checkpoint(): Promise<void> {
    try {
      await this.#run('checkpoint');
    } catch (error) {
      if (sqlFailure(error).kind !== 'busy') throw error;
    }
    this.#freeRows = 0;
  }

  /** Deletes expired temporary data. */
  async #tidy(nowUnixMicro: number): Promise<void> {
    if (nowUnixMicro - this.#tidiedUnixMicro < TIDY_EVERY_MICRO) return;
    for (const [table, column, keptMs] of KEPT) {
      await this.#run(`delete from ${table} where ${column} < make_timestamptz($1)`, [
        nowUnixMicro - keptMs * 1000,
      ]);
    }
    this.#tidiedUnixMicro = nowUnixMicro;
  }

  async #number(text: string): Promise<number> {
    const [row] = await this.#run(text);
    return Number(row?.n ?? 0);
  }

  async #run(text: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return await runStatement(this.#connection, { text, values });
  }
}

/** Rows deleted at a time: some 20 ms, for which a flush may have to wait. */
const STEP_ROWS = 100_000;
/**
 * DuckDB frees the space of deleted rows at a checkpoint, and only for whole row groups. Files of earlier
 * versions have row groups of this size, which is twice that of new ones (`store-file.ts`).
 */
const GROUP_ROWS = 122_880;
const CHECKPOINT_ROWS = 4 * GROUP_ROWS;
/**
 * A file that is too large is reduced below the limit by this part, so that the retention is not due again at
 * once.
 */
const SIZE_GOAL = 0.95;

export interface RetentionLimits {
  /** 0: no limit. */
  readonly ageMs: number;
  /** 0: no limit. */
  readonly sizeBytes: number;
  /** Default: 100,000. */
  readonly stepRows?: number;
}

export interface RetentionStep {
  readonly rows: number;
  readonly why: 'age' | 'size' | undefined;
  /** More work is left. */
  readonly isMore: boolean;
}

const NOTHING: RetentionStep = { rows: 0, why: undefined, isMore: false };

const TIDY_EVERY_MICRO = 60_000_000;

const KEPT = [
  ['stored_ranges', 'stored_at', HOUSEKEEPING.storedRangesMs],
  ['touched_minutes', 'stored_at', HOUSEKEEPING.touchedMinutesMs],
  ['writers', 'seen_at', HOUSEKEEPING.writersMs],
  ['streams', 'updated_at', HOUSEKEEPING.streamsMs],
] as const;
