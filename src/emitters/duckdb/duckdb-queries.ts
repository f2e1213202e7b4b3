import type { DuckDBConnection } from '@duckdb/node-api';
import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { type RunOptions, SqlError, type SqlRow } from '../../logstore/sql/sql-database.ts';
import type { Clock } from '../../runtime/clock.ts';
import { QuerySlots } from './query-slots.ts';
import { sqlFailure } from './sql-failure.ts';
import { runStatement } from './statement.ts';
import type { StoreFile } from './store-file.ts';

/** Beside the writer: of the process's four threads for files and native work one has to be left for the disk. */
const QUERY_CONNECTIONS = 2;
const MAX_WAITING = 64;
/** An interruption that comes between two statements is lost on DuckDB, so it is said again. */
const INTERRUPT_AGAIN_MS = 50;

/** For whoever is asking something when all have to be quiet for a moment. */
const FINISH_MS = 3000;

type Rows = readonly (readonly SqlRow[])[];

/** Queries on an open file: each in a transaction, on a connection of its own, for a limited time. */
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
      limit.abort(new SqlError('timeout', `it took longer than ${options.timeoutMs} ms`));
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

  /** Runs `work` while nothing is asked: what runs may finish, for a moment; what comes waits. */
  async whileQuiet<T>(work: () => Promise<T>): Promise<T> {
    this.#slots.pause();
    const cancel = this.#clock.after(FINISH_MS, () => {
      this.#interruption.abort(new SqlError('busy', 'the store has to tidy up first'));
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

  /** Ends what is running, and resolves when it is over. */
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
