import type { SqlStatement, SqlValue } from './sql.ts';
import type { SqlDialect } from './sql-dialect.ts';

/**
 * A store as seen by everything except its own emitter: it runs statements. Search, metrics and alerts are
 * written once, for this interface; DuckDB, PostgreSQL and TimescaleDB differ in their `dialect` and in how
 * they run statements.
 *
 * Calls may come at any time, also several at once, while the emitter writes, and never delay it. They cross
 * to the thread of the store as they are. That is why there is no interactive transaction: one call is one
 * transaction.
 */
export interface SqlDatabase {
  readonly dialect: SqlDialectName;
  /**
   * Runs the statements in order in one transaction, all or none, and resolves with the rows of each. Rejects
   * only with a `SqlError`.
   */
  run(statements: readonly SqlStatement[], options: RunOptions): Promise<readonly (readonly SqlRow[])[]>;
}

export type SqlDialectName = SqlDialect['name'];

export interface RunOptions {
  /** A longer run is cancelled in the database, too. */
  readonly timeoutMs: number;
  /** The statements only read. Default: false. */
  readonly isReadOnly?: boolean;
  /**
   * Runs the statements one after another, without a transaction: for procedures of TimescaleDB, which commit their own
   * work. After a timeout the database may still complete one. Only PostgreSQL supports it. Default: false.
   */
  readonly isOutsideTransaction?: boolean;
}

/** By column name. Integers beyond 2^53 are not expected, and times are selected as numbers. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * - `timeout`: the time limit was exceeded.
 * - `busy`: a conflict with another transaction, or too many calls at once; retry later.
 * - `unavailable`: the store is not reachable or is damaged.
 * - `constraint`: the row exists already, or is referenced.
 * - `statement`: the store does not accept the statement or a value in it.
 */
export type SqlErrorKind = 'timeout' | 'busy' | 'unavailable' | 'constraint' | 'statement';

/** `message`: for a person; it never contains a secret. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly kind: SqlErrorKind;

  constructor(kind: SqlErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
