import type { Pool, PoolClient } from 'pg';
import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { type RunOptions, type SqlDatabase, SqlError, type SqlRow } from '../../logstore/sql/sql-database.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Clock } from '../../runtime/clock.ts';
import { toSqlError } from './describe-failure.ts';
import { beginText, inTransaction, outsideTransaction } from './in-transaction.ts';

/** Runs queries over separate connections: queries and writes never wait for each other. */
export class PostgresDatabase implements SqlDatabase {
  readonly dialect = 'postgres';
  readonly #options: PostgresDatabaseOptions;

  constructor(options: PostgresDatabaseOptions) {
    this.#options = options;
  }

  async run(
    statements: readonly SqlStatement[],
    options: RunOptions,
  ): Promise<readonly (readonly SqlRow[])[]> {
    const { timeoutMs } = options;
    const { clock } = this.#options;
    const deadline = new AbortController();
    const cancel = clock.after(timeoutMs + GRACE_MS, () =>
      deadline.abort(new SqlError('timeout', `no answer within ${timeoutMs} ms`)),
    );
    try {
      await this.#ready(deadline.signal);
      return await this.#run(statements, options, deadline.signal);
    } catch (error) {
      throw toSqlError(deadline.signal.aborted ? deadline.signal.reason : error);
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
    { timeoutMs, isReadOnly = false, isOutsideTransaction = false }: RunOptions,
    signal: AbortSignal,
  ): Promise<SqlRow[][]> {
    const pool = this.#options.pool();
    if (pool === undefined) throw new SqlError('unavailable', 'the store is not open');
    if (pool.waitingCount >= MAX_WAITING) throw new SqlError('busy', 'too many concurrent queries');
    if (isOutsideTransaction) {
      return await outsideTransaction(pool, signal, (client) => resultsOf(client, statements));
    }
    const { schema, clock } = this.#options;
    const begin = beginText({
      isolation: 'repeatable read',
      isReadOnly,
      schema,
      statementTimeoutMs: timeoutMs,
      lockTimeoutMs: timeoutMs,
    });
    const limits = { begin, timeoutMs: timeoutMs + GRACE_MS, clock, signal };
    return await inTransaction(pool, limits, (client) => resultsOf(client, statements));
  }
}

async function resultsOf(client: PoolClient, statements: readonly SqlStatement[]): Promise<SqlRow[][]> {
  const results: SqlRow[][] = [];
  for (const { text, values } of statements) {
    const { rows } = await client.query<Record<string, SqlRow[string]>>(text, [...values]);
    results.push(rows);
  }
  return results;
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
