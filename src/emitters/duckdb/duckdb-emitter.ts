import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { type RunOptions, type SqlDatabase, SqlError, type SqlRow } from '../../logstore/sql/sql-database.ts';
import type { Batch } from '../../records/batch.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Cancel } from '../../runtime/clock.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Retry } from '../outcome.ts';
import { type DuckDbConfiguration, databasePath } from './configuration.ts';
import { DuckDbEvents } from './events.ts';
import type { FlushTransaction } from './flush-transaction.ts';
import { OpenStore } from './open-store.ts';
import { isFatal, messageOf } from './sql-failure.ts';
import { adviceFor, StoreUnavailable } from './store-unavailable.ts';

/** A query does not try again sooner to open a file that could not be; delivery waits by itself. */
const OPEN_AGAIN_MS = 1000;

/** How often it is looked for what is to be deleted. */
const RETENTION_EVERY_MS = 60_000;

/**
 * Keeps records in a DuckDB file, each exactly once, whatever is killed when.
 *
 *     emit              emit        flush                            queries, beside all that
 *     begin; rows ----> rows -----> ranges, notes; COMMIT (fsync)    each in a transaction of its own
 *
 * STATE. Only the file: its ranges say what is stored of each stream (`store/schema.ts`), and what they hold is cut from
 * what is emitted (`flush-transaction.ts`). So the emitter gives delivery no state to commit, and it does not matter if the
 * aggregator's own state is older than the file.
 *
 * FAILURE. The transaction is rolled back, and the answer is `retry, rolledBack`. Whether a COMMIT that failed has happened is
 * not asked: the ranges are read again before anything is written. When DuckDB no longer trusts itself (a full disk in the
 * middle of a checkpoint does that), the file is closed and opened anew.
 *
 * A FILE THAT CANNOT BE USED: damaged, locked by another process, of a newer version, on a disk that is full. `start`
 * resolves all the same; every `emit` tries to open it, and answers `retry` with what is wrong and what to do about it;
 * queries are `unavailable` with the same words. The queue keeps the records meanwhile. Nothing is ever deleted or begun
 * anew by itself.
 *
 * ONE AT A TIME. Calls, steps of retention and the closing of a broken file wait for each other in one line. Queries do
 * not (`duckdb-queries.ts`): DuckDB lets them read while it writes.
 *
 * LIMITS. DuckDB's memory is `memory`. One transaction holds what one flush brings, which delivery bounds. The process has
 * four threads for files and native calls (libuv): this takes one of them, and two for queries.
 *
 * ITS THREAD must never be ended from outside: a native call that comes back to a thread that is no more takes the process
 * with it (`mustNotTerminate`). Two databases on one file in one process would ruin it, so a file that is still open here is
 * waited for (`store-file.ts`).
 */
export class DuckDbEmitter implements Emitter {
  readonly database: SqlDatabase;
  readonly #configuration: DuckDbConfiguration;
  readonly #context: EmitterContext;
  readonly #events: DuckDbEvents;
  readonly #path: string;
  #isStarted = false;
  #store: OpenStore | undefined;
  #opening: Promise<OpenStore> | undefined;
  #failure: { readonly error: unknown; readonly atMs: number } | undefined;
  #transaction: FlushTransaction | undefined;
  /** A query found the database broken while a transaction was open: whoever comes next is told that it is undone. */
  #isTransactionLost = false;
  #isRetentionDue = false;
  #cancelRound: Cancel = ignore;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(configuration: DuckDbConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = new DuckDbEvents(context);
    this.#path = databasePath(configuration, context);
    this.database = { dialect: 'duckdb', run: (statements, options) => this.#query(statements, options) };
  }

  async start(): Promise<void> {
    this.#isStarted = true;
    // What is wrong with the file is said to whoever comes; the aggregator stays up, and the queue keeps the records.
    await this.#exclusive(() => this.#open().catch(ignore));
    this.#beginRound();
  }

  emit(batch: Batch): Promise<Outcome> {
    return this.#guarded(async (store) => {
      this.#transaction ??= await store.begin();
      await this.#transaction.append(batch);
      return DELIVERED;
    });
  }

  flush(): Promise<FlushOutcome> {
    return this.#guarded(async (store) => {
      const transaction = this.#transaction;
      if (transaction === undefined) return DELIVERED;
      if (transaction.rowCount === 0) await transaction.rollback();
      else await store.commit(transaction, this.#nowUnixMicro());
      this.#transaction = undefined;
      this.#events.stored(transaction.rowCount);
      // Both come before the next batch, if they are due.
      if (await store.isCheckpointOverdue()) this.#checkpoint(store);
      this.#retain();
      return DELIVERED;
    });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStarted = false;
    this.#cancelRound();
    const stopped = this.#exclusive(async () => {
      await this.#opening?.catch(() => undefined);
      if (this.#store !== undefined) await this.#abandon(this.#store);
    });
    await untilAborted(stopped, deadline);
    this.#events.stop();
  }

  async #query(
    statements: readonly SqlStatement[],
    options: RunOptions,
  ): Promise<readonly (readonly SqlRow[])[]> {
    const store = await this.#storeForQuery();
    try {
      return await store.queries.run(statements, options);
    } catch (error) {
      if (isFatal(error)) void this.#exclusive(() => this.#abandon(store)).catch(ignore);
      throw error;
    }
  }

  async #storeForQuery(): Promise<OpenStore> {
    try {
      if (this.#hasJustFailed) throw this.#failure?.error;
      return await this.#open();
    } catch (error) {
      throw new SqlError('unavailable', messageOf(error));
    }
  }

  /** The open store; opened when it is not. Rejects with why it cannot be. */
  async #open(): Promise<OpenStore> {
    if (!this.#isStarted) throw new Error('the store is not started');
    if (this.#store !== undefined) return this.#store;
    this.#opening ??= this.#openFile().finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  get #hasJustFailed(): boolean {
    const { clock } = this.#context;
    return this.#failure !== undefined && clock.monotonicMs() - this.#failure.atMs < OPEN_AGAIN_MS;
  }

  async #openFile(): Promise<OpenStore> {
    try {
      const store = await OpenStore.open(this.#path, this.#configuration, this.#context.clock);
      this.#store = store;
      this.#failure = undefined;
      this.#events.opened(this.#path);
      return store;
    } catch (error) {
      // Said once, not at every attempt.
      if (messageOf(this.#failure?.error) !== messageOf(error)) this.#events.unavailable(messageOf(error));
      this.#failure = { error, atMs: this.#context.clock.monotonicMs() };
      throw error;
    }
  }

  /** Runs `work`; when it fails, everything since the last delivered flush is taken back. */
  #guarded<T>(work: (store: OpenStore) => Promise<T>): Promise<T | Retry> {
    return this.#exclusive(async () => {
      try {
        if (this.#isTransactionLost) throw new Error('the database had to be opened again');
        return await work(await this.#open());
      } catch (error) {
        await this.#takeBack(error);
        return { kind: 'retry', reason: this.#reasonFor(error), rolledBack: true };
      }
    });
  }

  #checkpoint(store: OpenStore): void {
    this.#exclusive(() => store.checkpoint()).catch(async (error: unknown) => {
      this.#events.checkpointFailed(messageOf(error));
      if (isFatal(error)) await this.#exclusive(() => this.#abandon(store));
    });
  }

  #beginRound(): void {
    this.#cancelRound = this.#context.clock.after(RETENTION_EVERY_MS, () => {
      this.#isRetentionDue = true;
      this.#retain();
      this.#beginRound();
    });
  }

  /** Steps of retention, if they are due. Not within a transaction: its flush calls this again. */
  #retain(): void {
    if (!this.#isRetentionDue) return;
    this.#exclusive(() => this.#retentionStep()).then((isMore) => isMore && this.#retain(), ignore);
  }

  async #retentionStep(): Promise<boolean> {
    const store = this.#store;
    if (store === undefined || this.#transaction !== undefined) return false;
    try {
      const { rows, why, isMore } = await store.retention.step(this.#nowUnixMicro());
      if (why !== undefined) this.#events.deleted(rows, why);
      this.#isRetentionDue = isMore;
      return isMore;
    } catch (error) {
      this.#isRetentionDue = false;
      this.#events.retentionFailed(messageOf(error));
      if (isFatal(error)) await this.#abandon(store);
      return false;
    }
  }

  async #takeBack(error: unknown): Promise<void> {
    const store = this.#store;
    const transaction = this.#transaction;
    this.#transaction = undefined;
    this.#isTransactionLost = false;
    if (store === undefined) return;
    await transaction?.rollback().catch(ignore);
    const isUsable = !isFatal(error) && (await store.recover());
    if (!isUsable) await this.#abandon(store);
  }

  /** The next who comes opens the file anew. */
  async #abandon(store: OpenStore): Promise<void> {
    if (this.#store !== store) return;
    this.#store = undefined;
    this.#isTransactionLost = this.#transaction !== undefined;
    this.#transaction = undefined;
    await store.close();
  }

  #reasonFor(error: unknown): string {
    const message = messageOf(error);
    if (error instanceof StoreUnavailable) return message;
    return `${this.#path}: ${message}${adviceFor(message)}`;
  }

  #nowUnixMicro(): number {
    return Number(this.#context.clock.nowUnixNano() / 1000n);
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }
}

function ignore(): void {}
