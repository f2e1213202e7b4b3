import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { type RunOptions, type SqlDatabase, SqlError, type SqlRow } from '../../logstore/sql/sql-database.ts';
import type { Batch } from '../../records/batch.ts';
import { repeat } from '../../runtime/async/repeat.ts';
import { SerialQueue } from '../../runtime/async/serial-queue.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Cancel } from '../../runtime/clock.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Retry } from '../outcome.ts';
import { type DuckDbConfiguration, databasePath } from './configuration.ts';
import { DUCKDB_EVENTS, type DuckDbEvents } from './events.ts';
import type { FlushTransaction } from './flush-transaction.ts';
import { OpenStore } from './open-store.ts';
import { isFatal, messageOf } from './sql-failure.ts';
import { SteppedWork, type StepResult } from './stepped-work.ts';
import { adviceFor, StoreUnavailable } from './store-unavailable.ts';

/**
 * Minimum interval between attempts of queries to open a file after a failure; delivery has its own waits.
 */
const OPEN_AGAIN_MS = 1000;

/** Interval of the retention. */
const RETENTION_EVERY_MS = 60_000;

/**
 * Keeps records in a DuckDB file, each exactly once, whatever process is killed at any time.
 *
 *     emit              emit        flush                            queries, concurrently
 *     begin; rows ----> rows -----> ranges, notes; COMMIT (fsync)    each in its own transaction
 *
 * STATE. Only the file: it contains the stored ranges of each stream (`logstore/schema.ts`), and emitted
 * records within these ranges are dropped (`flush-transaction.ts`). So the emitter gives delivery no state to
 * commit, and the aggregator's own state may be older than the file.
 *
 * FAILURE. The transaction is rolled back, and the outcome is `retry, rolledBack`. After a failed COMMIT its
 * result is unknown, so the ranges are read again before anything is written. If DuckDB enters its fatal
 * state (for example after a full disk during a checkpoint), the file is closed and opened again.
 *
 * AN UNUSABLE FILE: damaged, locked by another process, of a newer version, or on a full disk. `start`
 * resolves all the same; every `emit` tries to open the file and returns `retry` with the reason and the
 * remedy; queries are `unavailable` with the same message. The queue keeps the records in the meantime. The
 * emitter never deletes or replaces a file by itself.
 *
 * ONE AT A TIME. Calls, steps of retention and the closing of a broken file run one after another. Queries do
 * not wait for them (`duckdb-queries.ts`): DuckDB permits reads during writes.
 *
 * LIMITS. DuckDB's memory is `memory`. One transaction contains one flush, which delivery limits. The process
 * has four threads for files and native calls (libuv): this emitter uses one of them, and two for queries.
 *
 * ITS THREAD must never be terminated from outside: a native call that returns into a dead thread crashes the
 * process (`mustNotTerminate`). Two open databases on one file in one process would damage it, so the emitter
 * waits until a file that is still open in this process is closed (`store-file.ts`).
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
  /**
   * A query found the database broken while a transaction was open: the next call reports that the
   * transaction is rolled back.
   */
  #isTransactionLost = false;
  #cancelRound: Cancel = ignore;
  readonly #turns = new SerialQueue();
  readonly #retention = new SteppedWork(this.#turns, () => this.#retentionStep());
  readonly #sketching = new SteppedWork(this.#turns, () => this.#sketchStep());

  constructor(configuration: DuckDbConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = DUCKDB_EVENTS.open({ ...context, labels: { emitter: context.name } });
    this.#path = databasePath(configuration, context);
    this.database = { dialect: 'duckdb', run: (statements, options) => this.#query(statements, options) };
  }

  async start(): Promise<void> {
    this.#isStarted = true;
    // The next calls report what is wrong with the file; the aggregator keeps running, and the queue keeps
    // the records.
    await this.#turns.run(() => this.#open().catch(ignore));
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
      if (transaction.isEmpty) await transaction.rollback();
      else await store.commit(transaction, this.#nowUnixMicro());
      this.#transaction = undefined;
      this.#events.stored({ rows: transaction.rowCount });
      // Both run before the next batch, if they are due.
      if (await store.isCheckpointOverdue()) this.#checkpoint(store);
      this.#retention.continue();
      this.#sketching.continue();
      return DELIVERED;
    });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStarted = false;
    this.#cancelRound();
    const stopped = this.#turns.run(async () => {
      await this.#opening?.catch(() => undefined);
      if (this.#store !== undefined) await this.#abandon(this.#store);
    });
    await untilAborted(stopped, deadline);
    this.#events.flush();
  }

  async #query(
    statements: readonly SqlStatement[],
    options: RunOptions,
  ): Promise<readonly (readonly SqlRow[])[]> {
    const store = await this.#storeForQuery();
    try {
      return await store.queries.run(statements, options);
    } catch (error) {
      if (isFatal(error)) void this.#turns.run(() => this.#abandon(store)).catch(ignore);
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

  /** Returns the store, opening it if necessary. Rejects with the reason if it cannot be opened. */
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
      this.#events.opened({ path: this.#path });
      return store;
    } catch (error) {
      // Logged once, not at every attempt.
      const reason = messageOf(error);
      if (messageOf(this.#failure?.error) !== reason) this.#events.unavailable({ reason });
      this.#failure = { error, atMs: this.#context.clock.monotonicMs() };
      throw error;
    }
  }

  /** Runs `work`; if it fails, everything since the last delivered flush is rolled back. */
  #guarded<T>(work: (store: OpenStore) => Promise<T>): Promise<T | Retry> {
    return this.#turns.run(async () => {
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
    this.#turns
      .run(() => store.checkpoint())
      .catch(async (error: unknown) => {
        this.#events.checkpointFailed({ reason: messageOf(error) });
        if (isFatal(error)) await this.#turns.run(() => this.#abandon(store));
      });
  }

  #beginRound(): void {
    this.#cancelRound = repeat(this.#context.clock, RETENTION_EVERY_MS, () => {
      this.#retention.begin();
      this.#sketching.begin();
    });
  }

  #retentionStep(): Promise<StepResult> {
    return this.#betweenFlushes(this.#events.retentionFailed, async (store) => {
      const { rows, why, isMore } = await store.retention.step(this.#nowUnixMicro());
      if (why !== undefined) this.#events.deleted({ rows, why });
      return isMore;
    });
  }

  #sketchStep(): Promise<StepResult> {
    return this.#betweenFlushes(this.#events.sketchFailed, (store) => store.sketch(this.#nowUnixMicro()));
  }

  /** Not within a transaction: its flush continues the work. `step` resolves with whether there is more to do. */
  async #betweenFlushes(
    failed: (failure: { readonly reason: string }) => void,
    step: (store: OpenStore) => Promise<boolean>,
  ): Promise<StepResult> {
    const store = this.#store;
    if (store === undefined || this.#transaction !== undefined) return 'later';
    try {
      return (await step(store)) ? 'more' : 'done';
    } catch (error) {
      failed({ reason: messageOf(error) });
      if (isFatal(error)) await this.#abandon(store);
      return 'done';
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

  /** The next call opens the file again. */
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
}

function ignore(): void {}
