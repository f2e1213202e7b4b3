import type { Clock } from '../../runtime/clock.ts';
import { logGroupExpressions, SELECT_LOG_GROUPS } from '../log-group-table.ts';
import type { OwnNames } from '../own-names.ts';
import { dialectOf } from '../sql/dialect-of.ts';
import { type Sql, statement } from '../sql/sql.ts';
import type { SqlDatabase, SqlRow } from '../sql/sql-database.ts';
import type { SqlDialect } from '../sql/sql-dialect.ts';
import { textOf } from '../sql/sql-row.ts';
import { expandFilter, mayFilterByGroup } from './expand-filter.ts';
import type { LogFilter } from './log-requests.ts';

/** A store for one request: read-only, with one time limit for all statements. */
export class StoreReader {
  readonly dialect: SqlDialect;
  readonly #database: SqlDatabase;
  readonly #clock: Clock;
  readonly #deadlineMs: number;

  constructor(database: SqlDatabase, clock: Clock, timeoutMs: number) {
    this.dialect = dialectOf(database.dialect);
    this.#database = database;
    this.#clock = clock;
    this.#deadlineMs = clock.monotonicMs() + timeoutMs;
  }

  /** The same store, with a shorter time limit. */
  within(timeoutMs: number): StoreReader {
    return new StoreReader(this.#database, this.#clock, Math.min(timeoutMs, this.#leftMs));
  }

  nowUnixMicro(): number {
    return Number(this.#clock.nowUnixNano() / 1000n);
  }

  /**
   * The names that the store has noted for its records; undefined: it notes none. Rejects with a SqlError.
   */
  async ownNames(): Promise<OwnNames | undefined> {
    const { ownNames } = this.dialect;
    if (ownNames === undefined) return undefined;
    return new Set((await this.rows(ownNames)).map((row) => textOf(row, 'name')));
  }

  /** The filter with the expressions of its log groups. Rejects with a SqlError or a FilterError. */
  async withGroups<Filter extends LogFilter>(filter: Filter): Promise<Filter> {
    if (!mayFilterByGroup(filter)) return filter;
    return expandFilter(filter, logGroupExpressions(await this.rows(SELECT_LOG_GROUPS)));
  }

  /** Rejects with a SqlError. */
  async rows(query: Sql): Promise<readonly SqlRow[]> {
    const options = { timeoutMs: this.#leftMs, isReadOnly: true };
    const [rows = []] = await this.#database.run([statement(query)], options);
    return rows;
  }

  get #leftMs(): number {
    return Math.max(1, this.#deadlineMs - this.#clock.monotonicMs());
  }
}
