import type { Pool } from 'pg';
import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { type RunOptions, type SqlDatabase, SqlError, type SqlRow } from '../../logstore/sql/sql-database.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Clock } from '../../runtime/clock.ts';
import { toSqlError } from './describe-failure.ts';
import { beginText, inTransaction } from './in-transaction.ts';

/** Runs queries over separate connections: queries and writes never wait for each other. */
export class PostgresDatabase implements SqlDatabase {
  readonly dialect = 'postgres';
  readonly #options: PostgresDatabaseOptions;

  constructor(options: PostgresDatabaseOptions) {
    this.#options = options;
  }

  async run(
    statements: readonly SqlStatement[],
    { timeoutMs, isReadOnly = false }: RunOptions,
  ): Promise<readonly (readonly SqlRow[])[]> {
    const { clock } = this.#options;
    const deadline = new AbortController();
    const cancel = clock.after(timeoutMs + GRACE_MS, () =>
      deadline.abort(new SqlError('timeout', `no answer within ${timeoutMs} ms`)),
    );
    try {
      await this.#ready(deadline.signal);
      return await this.#run(statements, { timeoutMs, isReadOnly }, deadline.signal);
    } catch (error) {
      throw toSqlError(error);
    } finally {
      cancel();
    }
  }

  async #ready(signal: AbortSignal): Promise<void> {
    await untilAborted(this.#options.ready(), signal);
    signal.throwIfAborted();
  }

  async #run(
    statements: readonly SqlStatement[],
    { timeoutMs, isReadOnly }: Required<RunOptions>,
    signal: AbortSignal,
  ): Promise<SqlRow[][]> {
    const pool = this.#options.pool();
    if (pool === undefined) throw new SqlError('unavailable', 'the store is not open');
    if (pool.waitingCount >= MAX_WAITING) throw new SqlError('busy', 'too many concurrent queries');
    const { schema, clock } = this.#options;
    const begin = beginText({
      isolation: 'repeatable read',
      isReadOnly,
      schema,
      statementTimeoutMs: timeoutMs,
      lockTimeoutMs: timeoutMs,
    });
    const results: SqlRow[][] = [];
    await inTransaction(pool, { begin, timeoutMs: timeoutMs + GRACE_MS, clock, signal }, async (client) => {
      for (const { text, values } of statements) {
        const { rows } = await client.query<Record<string, SqlRow[string]>>(text, [...values]);
        results.push(rows);
      }
    });
    return results;
  }
}

/** Maximum number of calls that wait for a connection; others are rejected as busy. */
const MAX_WAITING = 64;
/** Extra time for the server to cancel a statement before the connection is closed. */
const GRACE_MS = 500;

export interface PostgresDatabaseOptions {
  /** undefined before start and after stop. */
  readonly pool: () => Pool | undefined;
  readonly schema: string;
  readonly clock: Clock;
  /** Resolves when the tables exist. */
  readonly ready: () => Promise<unknown>;
}
