import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { SqlDatabase } from '../../logstore/sql/sql-database.ts';
import type { Batch } from '../../records/batch.ts';
import { endOf } from '../../records/record-batch.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Rejected, type Retry } from '../outcome.ts';
import type { PostgresConfiguration } from './configuration.ts';
import { describeFailure, isAboutContent, isConflict, isMissing } from './describe-failure.ts';
import { POSTGRES_EVENTS, type PostgresEvents } from './events.ts';
import { beginText, inTransaction } from './in-transaction.ts';
import { Maintenance } from './maintenance.ts';
import type { Layout } from './migrate.ts';
import { openPools, type Pools } from './pools.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { reportUnreachable } from './report-unreachable.ts';
import { CopyError, type FlushResult, storeSlices, TooManyDaysError } from './store-slices.ts';
import { Tables } from './tables.ts';
import { CHUNK_LENGTHS, withChunksOf } from './timescale.ts';

/** Immediate retries after a conflict with another transaction; after these, delivery waits. */
const ATTEMPTS = 4;

/**
 * Stores records in PostgreSQL exactly once, also with several aggregators.
 *
 *     emit emit emit         flush
 *     keep references        begin | lock streams | deduplicate | COPY | record flush | commit    (see flush.ts)
 *
 * Only connections are kept between flushes. Each flush writes the ranges of its records to the database in
 * the same transaction. So any aggregator can emit a record, any number of times, also after a COMMIT with
 * unknown result: a repetition finds its bytes in the ranges of its stream.
 *
 * LIMITS. References to the slices of one flush (delivery: 8 MiB, 100 ms); frames of about 256 KiB in flight;
 * six connections, closed after a minute without use.
 *
 * The server need not be reachable at the start: the emitter connects at the first flush, and for maintenance
 * at the start and then every minute.
 */
export class PostgresEmitter implements Emitter {
  readonly database: SqlDatabase;
  readonly #configuration: PostgresConfiguration;
  readonly #context: EmitterContext;
  readonly #events: PostgresEvents;
  readonly #writer = randomUUID();
  readonly #ended = new AbortController();
  readonly #tables: Tables;
  readonly #housekeeping: Maintenance;
  #pools: Pools | undefined;
  #isReopenWanted = false;
  #held: Batch[] = [];

  constructor(configuration: PostgresConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = POSTGRES_EVENTS.open({ ...context, labels: { emitter: context.name } });
    const shared = {
      configuration,
      clock: context.clock,
      events: this.#events,
      pool: () => this.#writers(),
      signal: this.#ended.signal,
      place: () => this.#pools?.place ?? '',
    };
    this.#tables = new Tables(shared);
    this.#housekeeping = new Maintenance({ ...shared, tables: this.#tables, writer: this.#writer });
    this.database = new PostgresDatabase({
      schema: configuration.schema,
      clock: context.clock,
      pool: () => this.#pools?.readers,
      ready: () => this.#tables.ready(),
    });
  }

  async start(): Promise<void> {
    this.#pools = await openPools(this.#configuration);
    this.#housekeeping.start();
  }

  async emit(batch: Batch): Promise<Outcome> {
    if (this.#pools === undefined) return NOT_STARTED;
    this.#held.push(batch);
    return DELIVERED;
  }

  async flush(signal: AbortSignal): Promise<FlushOutcome> {
    const held = this.#held;
    this.#held = [];
    if (this.#pools === undefined) return NOT_STARTED;
    if (held.length === 0) return DELIVERED;
    try {
      if (this.#isReopenWanted) await this.#replacePools();
      const layout = await this.#tables.ready();
      const stored = await this.#store(held, layout, signal);
      this.#events.reached();
      this.#events.stored(stored);
      // The records are stored, even if this fails.
      await this.#housekeeping.daysStored(stored.days, layout);
      return DELIVERED;
    } catch (error) {
      this.#events.failed();
      reportUnreachable(this.#events, this.#pools?.place ?? '', error);
      return this.#failed(error, held);
    }
  }

  /** Reads certificate and password files again before the next flush. */
  async reopen(): Promise<void> {
    this.#isReopenWanted = true;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    this.#held = [];
    if (pools === undefined) return;
    // Maintenance can be interrupted at any time, so stop does not wait for it.
    this.#ended.abort(new Error('the emitter was stopped'));
    await untilAborted(Promise.all([this.#housekeeping.stop(), pools.end()]), deadline);
    this.#events.flush();
  }

  async #store(held: readonly Batch[], layout: Layout, signal: AbortSignal): Promise<FlushResult> {
    const slices = held.flatMap(({ slices }) => slices);
    const dropped = held.flatMap(({ dropped = [] }) => dropped);
    const { schema, statement_timeout } = this.#configuration;
    const begin = `${beginText({
      isolation: 'read committed',
      schema,
      statementTimeoutMs: statement_timeout,
      lockTimeoutMs: statement_timeout,
    })}; ${DURABLE}`;
    const options = { begin, timeoutMs: 2 * statement_timeout, clock: this.#context.clock, signal };
    const lengths = layout === 'timescale' ? [...CHUNK_LENGTHS] : [];
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTransaction(this.#writers(), options, (client) => {
          const { days, maxDays } = lengths[0] ?? {};
          const store = () => storeSlices(client, slices, { writer: this.#writer, maxDays, dropped });
          return days === undefined ? store() : withChunksOf(client, { schema, days }, store);
        });
      } catch (error) {
        const cause = error instanceof CopyError ? error.cause : error;
        if (cause instanceof TooManyDaysError) {
          lengths.shift();
          continue;
        }
        if (!isConflict(cause) || attempt === ATTEMPTS || signal.aborted) throw error;
        this.#events.conflict({ reason: describeFailure(cause) });
      }
    }
  }

  #failed(error: unknown, held: readonly Batch[]): Retry | Rejected {
    const { cause, at } = error instanceof CopyError ? error : { cause: error, at: undefined };
    if (isMissing(cause)) this.#tables.forget();
    const reason = `${this.#pools?.place}: ${describeFailure(cause)}`;
    // Outside of COPY the error is about the bookkeeping, not about a record.
    if (!(error instanceof CopyError && isAboutContent(cause)))
      return { kind: 'retry', reason, rolledBack: true };
    // An index is relative to one batch: with several batches, delivery first retries them one by one.
    const [batch, ...others] = held;
    const index = others.length === 0 && batch !== undefined ? indexOfRecord(batch, at) : undefined;
    return { kind: 'rejected', reason, rolledBack: true, ...(index !== undefined && { records: [index] }) };
  }

  #writers(): Pool {
    if (this.#pools === undefined) throw new Error('the emitter is not started');
    return this.#pools.writers;
  }

  async #replacePools(): Promise<void> {
    this.#isReopenWanted = false;
    try {
      const old = this.#pools;
      this.#pools = await openPools(this.#configuration);
      void old?.end();
    } catch (error) {
      this.#events.reopenFailed({ reason: describeFailure(error) });
    }
  }
}

const NOT_STARTED: Retry = { kind: 'retry', reason: 'the emitter is not started', rolledBack: true };

/** Without synchronous commit, a crash of the database could lose records that the cursor has passed. */
const DURABLE = `select set_config('synchronous_commit', 'local', true) where current_setting('synchronous_commit') = 'off'`;

function indexOfRecord({ slices }: Batch, at: CopyError['at']): number | undefined {
  if (at === undefined) return undefined;
  let before = 0;
  for (const slice of slices) {
    if (slice.stream === at.stream && at.position >= slice.start && at.position < endOf(slice)) {
      let end = slice.start;
      const index = slice.sizes.findIndex((size) => {
        end += size;
        return at.position < end;
      });
      return before + index;
    }
    before += slice.sizes.length;
  }
  return undefined;
}
