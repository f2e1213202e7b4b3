import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { type RunOptions, type SqlDatabase, SqlError, type SqlRow } from '../../logstore/sql/sql-database.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type ClickHouseStatement, clickhouseStatement } from './clickhouse-statement.ts';
import type { Connection, RequestOptions } from './connection.ts';
import { toSqlError } from './describe-failure.ts';
import { CHANGE_SETTINGS, QUERY_SETTINGS } from './query-settings.ts';

/**
 * Runs the statements of search, metrics and alerts, one request for each.
 *
 * ClickHouse has no transactions: the statements of a call run one after another, and a call that fails may have
 * run the first of them. A change of rows is a mutation, and the mutations of a table run one after another, each
 * with the result of the one before. So of two aggregators that acquire the lease, the second one finds the name of
 * the first. `isHeld` of the other statements is checked when they run.
 */
export class ClickHouseDatabase implements SqlDatabase {
  readonly dialect = 'clickhouse';
  readonly #options: ClickHouseDatabaseOptions;
  #running = 0;

  constructor(options: ClickHouseDatabaseOptions) {
    this.#options = options;
  }

  async run(
    statements: readonly SqlStatement[],
    { timeoutMs, isReadOnly = false }: RunOptions,
  ): Promise<readonly (readonly SqlRow[])[]> {
    if (this.#running >= MAX_RUNNING) throw new SqlError('busy', 'too many concurrent queries');
    const { clock } = this.#options;
    const deadline = new AbortController();
    const cancel = clock.after(timeoutMs, () =>
      deadline.abort(new SqlError('timeout', `no answer within ${timeoutMs} ms`)),
    );
    this.#running++;
    try {
      await untilAborted(this.#options.ready(), deadline.signal);
      deadline.signal.throwIfAborted();
      const results: (readonly SqlRow[])[] = [];
      for (const statement of statements)
        results.push(await this.#runOne(statement, { timeoutMs, isReadOnly }, deadline.signal));
      return results;
    } catch (error) {
      throw toSqlError(error);
    } finally {
      this.#running--;
      cancel();
    }
  }

  async #runOne(
    statement: SqlStatement,
    { timeoutMs, isReadOnly }: Required<Omit<RunOptions, 'isOutsideTransaction'>>,
    signal: AbortSignal,
  ): Promise<readonly SqlRow[]> {
    const connection = this.#options.connection();
    if (connection === undefined) throw new SqlError('unavailable', 'the store is not open');
    const written = clickhouseStatement(statement);
    if (isReadOnly && written.kind !== 'select') throw new SqlError('statement', 'the statement is a change');
    const request = { timeoutMs, signal };
    // `2`: nothing can be changed, except settings of the query.
    const settings = isReadOnly ? { ...QUERY_SETTINGS, ...READ_ONLY } : QUERY_SETTINGS;
    const rows = (query: string) => connection.query(query, { ...request, settings });
    const change = (query: string) => connection.command(query, { ...request, settings: CHANGE_SETTINGS });
    return await runWritten(written, { rows, change });
  }
}

interface Requests {
  readonly rows: (query: string) => Promise<readonly SqlRow[]>;
  readonly change: (query: string) => Promise<void>;
}

async function runWritten(
  written: ClickHouseStatement,
  { rows, change }: Requests,
): Promise<readonly SqlRow[]> {
  switch (written.kind) {
    case 'select':
      return await rows(written.text);
    case 'insert': {
      const returned = written.returned === undefined ? undefined : await rows(written.returned);
      if (returned?.length !== 0) await change(written.text);
      return returned ?? [];
    }
    case 'update':
      if ((await rows(written.isThere)).length > 0) await change(written.text);
      return written.returned === undefined ? [] : await rows(written.returned);
    case 'delete': {
      const found = await rows(written.isThere);
      if (found.length > 0) await change(written.text);
      return found;
    }
  }
}

/** Maximum number of calls at once; others are rejected as busy. */
const MAX_RUNNING = 64;
/** A result with more rows is a mistake of the statement. */
const READ_ONLY = { readonly: '2', max_result_rows: '200000' } as const satisfies RequestOptions['settings'];

export interface ClickHouseDatabaseOptions {
  /** undefined before start and after stop. */
  readonly connection: () => Connection | undefined;
  readonly clock: Clock;
  /** Resolves when the tables exist. */
  readonly ready: () => Promise<unknown>;
}
