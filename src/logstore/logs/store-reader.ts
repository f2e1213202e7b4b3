import type { Clock } from '../../runtime/clock.ts';
import type { OwnNames } from '../own-names.ts';
import { dialectOf } from '../sql/dialect-of.ts';
import { type Sql, statement } from '../sql/sql.ts';
import type { SqlDatabase, SqlRow } from '../sql/sql-database.ts';
import type { SqlDialect } from '../sql/sql-dialect.ts';
import { textOf } from '../sql/sql-row.ts';

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

  /** Rejects with a SqlError. */
  async rows(query: Sql): Promise<readonly SqlRow[]> {
    const timeoutMs = Math.max(1, this.#deadlineMs - this.#clock.monotonicMs());
    const [rows = []] = await this.#database.run([statement(query)], { timeoutMs, isReadOnly: true });
    return rows;
  }
}
