import type { DuckDBConnection } from '@duckdb/node-api';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { HOUSEKEEPING } from '../../logstore/schema.ts';
import type { SqlValue } from '../../logstore/sql/sql.ts';
import type { SqlRow } from '../../logstore/sql/sql-database.ts';
import { sqlFailure } from './sql-failure.ts';
import { runStatement } from './statement.ts';

/** So many rows go at a time: some 20 ms, for which a flush may have to wait. */
const STEP_ROWS = 100_000;
/** DuckDB gives the space of deleted rows back at a checkpoint, and only that of whole groups of rows. */
const GROUP_ROWS = 122_880;
const CHECKPOINT_ROWS = 4 * GROUP_ROWS;
/** When the file is too large, it is made so much smaller than it may be, so that this is not due again at once. */
const SIZE_GOAL = 0.95;

export interface RetentionLimits {
  /** 0: none. */
  readonly ageMs: number;
  /** 0: none. */
  readonly sizeBytes: number;
  /** Default: 100,000. */
  readonly stepRows?: number;
}

export interface RetentionStep {
  readonly rows: number;
  readonly why: 'age' | 'size' | undefined;
  /** There is more to do right away. */
  readonly isMore: boolean;
}

const NOTHING: RetentionStep = { rows: 0, why: undefined, isMore: false };

/**
 * Deletes old records, in small steps: whoever calls lets flushes pass between two of them.
 *
 *     by age     what was observed so long ago. Not what says that it happened so long ago: an old log that is read today
 *                would be gone before anybody looked at it
 *     by size    what was stored first, until the blocks in use are a little fewer than may be
 *
 * The ranges of streams stay: what was stored once is never stored again. The file does not shrink; its free blocks are
 * used for what comes next, so it ends up a little larger than the limit.
 */
export class Retention {
  readonly #connection: DuckDBConnection;
  readonly #limits: RetentionLimits;
  readonly #stepRows: number;
  /** Deleted since the last checkpoint. */
  #freeRows = 0;
  /** Still to be deleted for the size. */
  #excessRows = 0;
  #tidiedUnixMicro = 0;

  constructor(connection: DuckDBConnection, limits: RetentionLimits) {
    this.#connection = connection;
    this.#limits = limits;
    this.#stepRows = limits.stepRows ?? STEP_ROWS;
  }

  /** The next step of a round; the round is over when there is no more. */
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

  /** How many rows are too many, whole groups of them. */
  async #findExcess(): Promise<number> {
    const used = await this.#usedBytes();
    if (used <= this.#limits.sizeBytes) return 0;
    const rows = await this.#number(`select count(*) as n from ${LOG_TABLE}`);
    const share = (used - this.#limits.sizeBytes * SIZE_GOAL) / used;
    return Math.ceil((rows * share) / GROUP_ROWS) * GROUP_ROWS;
  }

  async #usedBytes(): Promise<number> {
    const [row] = await this.#run('select block_size * used_blocks as n from pragma_database_size()');
    return Number(row?.n ?? 0);
  }

  async #delete(where: string, values: readonly SqlValue[]): Promise<number> {
    const [row] = await this.#run(`delete from ${LOG_TABLE} where ${where}`, values);
    const rows = Number(row?.Count ?? 0);
    this.#freeRows += rows;
    if (this.#freeRows >= CHECKPOINT_ROWS) await this.#checkpoint();
    return rows;
  }

  /** Gives the space of deleted rows back. Not now, when others write just now; DuckDB makes one by itself later. */
  async #checkpoint(): Promise<void> {
    try {
      await this.#run('checkpoint');
    } catch (error) {
      if (sqlFailure(error).kind !== 'busy') throw error;
    }
    this.#freeRows = 0;
  }

  /** What is only needed for a while. */
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

const TIDY_EVERY_MICRO = 60_000_000;

const KEPT = [
  ['stored_ranges', 'stored_at', HOUSEKEEPING.storedRangesMs],
  ['touched_minutes', 'stored_at', HOUSEKEEPING.touchedMinutesMs],
  ['writers', 'seen_at', HOUSEKEEPING.writersMs],
  ['streams', 'updated_at', HOUSEKEEPING.streamsMs],
] as const;
