import type { DuckDBConnection } from '@duckdb/node-api';
import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { type RunOptions, SqlError, type SqlRow } from '../../logstore/sql/sql-database.ts';
import type { Clock } from '../../runtime/clock.ts';
import { QuerySlots } from './query-slots.ts';
import { runStatement } from './run-statement.ts';
import { sqlFailure } from './sql-failure.ts';
import type { StoreFile } from './store-file.ts';

/**
 * Two, besides the writer: one of the process's four threads for files and native work must stay free for the
 * disk.
 */
const QUERY_CONNECTIONS = 2;
const MAX_WAITING = 64;
/** DuckDB loses an interruption between two statements, so it is repeated. */
const INTERRUPT_AGAIN_MS = 50;

/** The time in which running queries may finish before they are interrupted. */
const FINISH_MS = 3000;

type Rows = readonly (readonly SqlRow[])[];

/** Runs queries on an open file: each in a transaction, on its own connection, with a time limit. */
export class DuckDbQueries {
  readonly #clock: Clock;
  readonly #connections: readonly DuckDBConnection[];
  readonly #slots: QuerySlots<DuckDBConnection>;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #interruption = new AbortController();

  private constructor(connections: readonly DuckDBConnection[], clock: Clock) {
    this.#clock = clock;
    this.#connections = connections;
    this.#slots = new QuerySlots(connections, MAX_WAITING);
  }

  static async open(file: StoreFile, clock: Clock): Promise<DuckDbQueries> {
    const connections: DuckDBConnection[] = [];
    for (let index = 0; index < QUERY_CONNECTIONS; index++)
      connections.push((await file.connect()).connection);
    return new DuckDbQueries(connections, clock);
  }

  /** See SqlDatabase. */
  async run(statements: readonly SqlStatement[], options: RunOptions): Promise<Rows> {
    const limit = new AbortController();
    const cancel = this.#clock.after(options.timeoutMs, () => {
      limit.abort(new SqlError('timeout', `the query took longer than ${options.timeoutMs} ms`));
    });
    const signal = AbortSignal.any([limit.signal, this.#closing.signal, this.#interruption.signal]);
    try {
      signal.throwIfAborted();
      const connection = await this.#slots.take(signal);
      const work = this.#transaction(connection, statements, {
        signal,
        isReadOnly: options.isReadOnly === true,
      });
      this.#running.add(work);
      return await work.finally(() => {
        this.#running.delete(work);
        this.#slots.release(connection);
      });
    } catch (error) {
      throw sqlFailure(error);
    } finally {
      cancel();
    }
  }

  /** Runs `work` without concurrent queries: running ones may finish for a moment, new ones wait. */
  async whileQuiet<T>(work: () => Promise<T>): Promise<T> {
    this.#slots.pause();
    const cancel = this.#clock.after(FINISH_MS, () => {
      this.#interruption.abort(new SqlError('busy', 'the store runs maintenance; retry later'));
    });
    try {
      await Promise.allSettled([...this.#running]);
      cancel();
      this.#interruption = new AbortController();
      return await work();
    } finally {
      this.#slots.resume();
    }
  }

  /** Interrupts running queries, and resolves when they have ended. */
  async close(): Promise<void> {
    this.#closing.abort(new SqlError('unavailable', 'the store is being closed'));
    await Promise.allSettled([...this.#running]);
    for (const connection of this.#connections) connection.disconnectSync();
  }

  async #transaction(
    connection: DuckDBConnection,
    statements: readonly SqlStatement[],
    { signal, isReadOnly }: { readonly signal: AbortSignal; readonly isReadOnly: boolean },
  ): Promise<Rows> {
    const stopInterrupting = this.#interruptOn(signal, connection);
    try {
      const results: (readonly SqlRow[])[] = [];
      await connection.run(isReadOnly ? 'begin transaction read only' : 'begin transaction');
      for (const statement of statements) {
        signal.throwIfAborted();
        results.push(await runStatement(connection, statement));
      }
      signal.throwIfAborted();
      stopInterrupting();
      await connection.run('commit');
      return results;
    } catch (error) {
      stopInterrupting();
      await connection.run('rollback').catch(ignore);
      throw signal.aborted ? signal.reason : error;
    }
  }

  #interruptOn(signal: AbortSignal, connection: DuckDBConnection): () => void {
    let isStopped = false;
    let cancel = ignore;
    const interrupt = () => {
      if (isStopped) return;
      connection.interrupt();
      cancel = this.#clock.after(INTERRUPT_AGAIN_MS, interrupt);
    };
    signal.addEventListener('abort', interrupt, { once: true });
    return () => {
      isStopped = true;
      cancel();
      signal.removeEventListener('abort', interrupt);
    };
  }
}

function ignore(): void {}
