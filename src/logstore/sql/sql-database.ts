import type { SqlStatement, SqlValue } from './sql.ts';
import type { SqlDialect } from './sql-dialect.ts';

/**
 * A store as everybody but its own emitter sees it: something that runs statements. Search, metrics and alerts are
 * written once, over this; DuckDB, PostgreSQL and TimescaleDB differ by their `dialect` and by how they run.
 *
 * Calls may come at any time, several at once, while the emitter writes, and never hold that up. They cross to the
 * store's thread and back as they are, which is why there is no transaction to talk in: all of one call is one.
 */
export interface SqlDatabase {
  readonly dialect: SqlDialectName;
  /**
   * Runs the statements in order in one transaction, all or none, and resolves with the rows of each. Rejects with a
   * `SqlError`, for nothing else.
   */
  run(statements: readonly SqlStatement[], options: RunOptions): Promise<readonly (readonly SqlRow[])[]>;
}

export type SqlDialectName = SqlDialect['name'];

export interface RunOptions {
  /** What takes longer is ended in the database, too. */
  readonly timeoutMs: number;
  /** The statements only read. Default: false. */
  readonly isReadOnly?: boolean;
}

/** By the names in the statement. Whole numbers beyond 2^53 are not expected, times are asked for as numbers. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * - `timeout`: it took longer than it may.
 * - `busy`: a conflict with another transaction, or too many calls at once; again later.
 * - `unavailable`: the store cannot be reached or is damaged.
 * - `constraint`: what was to be written is there already, or is referred to.
 * - `statement`: the store does not accept the statement or a value in it.
 */
export type SqlErrorKind = 'timeout' | 'busy' | 'unavailable' | 'constraint' | 'statement';

/** `message`: for a person; it never holds a secret. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly kind: SqlErrorKind;

  constructor(kind: SqlErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
