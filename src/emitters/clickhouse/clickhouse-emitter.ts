import { randomUUID } from 'node:crypto';
import type { SqlDatabase } from '../../logstore/sql/sql-database.ts';
import type { Batch } from '../../records/batch.ts';
import { endOf } from '../../records/record-batch.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Rejected, type Retry } from '../outcome.ts';
import { ClickHouseDatabase } from './clickhouse-database.ts';
import type { ClickHouseConfiguration } from './configuration.ts';
import { Connection } from './connection.ts';
import { describeFailure, isAboutContent, isMissing, isUnreachable, remedyFor } from './describe-failure.ts';
import { CLICKHOUSE_EVENTS, type ClickHouseEvents } from './events.ts';
import { KnownRecords } from './known-records.ts';
import { Maintenance } from './maintenance.ts';
import { CHANGE_SETTINGS } from './query-settings.ts';
import { storeSlices } from './store-slices.ts';
import { Tables } from './tables.ts';

/**
 * Stores records in ClickHouse, each once on reading.
 *
 *     emit emit emit         flush
 *     keep references        uncertain records: which are there? | one INSERT for each day | notes      (store-slices.ts)
 *
 * ClickHouse has no transactions over several INSERTs. Three things together keep a record from being read twice:
 *
 * 1. An INSERT is repeated with the same token, and the server ignores the second one.
 * 2. After a start and after a failed flush, the tables are asked which records they have (`known-records.ts`).
 * 3. Rows with the same identity, time, host and service are merged, and queries read one of them (`final`). This
 *    covers an INSERT that is stored after the question, and two aggregators that store the same record.
 *
 * LIMITS. References to the slices of one flush, and their encoded rows (delivery: 32 MiB of records, 1 s); eight
 * connections.
 *
 * The server need not be reachable at the start: the emitter connects at the first flush, and for maintenance at the
 * start and then every minute.
 */
export class ClickHouseEmitter implements Emitter {
  readonly database: SqlDatabase;
  readonly #configuration: ClickHouseConfiguration;
  readonly #context: EmitterContext;
  readonly #events: ClickHouseEvents;
  readonly #writer = randomUUID().replaceAll('-', '');
  readonly #ended = new AbortController();
  readonly #tables: Tables;
  readonly #maintenance: Maintenance;
  readonly #known = new KnownRecords(UNCERTAIN_BYTES);
  readonly #knownNames = new Set<string>();
  #flush = 0;
  #connection: Connection | undefined;
  #isReopenWanted = false;
  #held: Batch[] = [];

  constructor(configuration: ClickHouseConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = CLICKHOUSE_EVENTS.open({ ...context, labels: { emitter: context.name } });
    const shared = {
      ...{ configuration, clock: context.clock, events: this.#events, signal: this.#ended.signal },
      connection: () => this.#open(),
    };
    this.#tables = new Tables({ ...shared, createDatabase: (statement) => this.#runOutside(statement) });
    const ready = () => this.#tables.ready();
    const unreachable = (error: unknown) => this.#reportUnreachable(error);
    this.#maintenance = new Maintenance({ ...shared, ready, unreachable });
    this.database = new ClickHouseDatabase({
      clock: context.clock,
      connection: () => this.#connection,
      ready,
    });
  }

  async start(): Promise<void> {
    this.#connection = await Connection.open(this.#configuration, this.#context);
    this.#maintenance.start();
  }

  async emit(batch: Batch): Promise<Outcome> {
    if (this.#connection === undefined) return NOT_STARTED;
    this.#held.push(batch);
    return DELIVERED;
  }

  async flush(signal: AbortSignal): Promise<FlushOutcome> {
    const held = this.#held;
    this.#held = [];
    if (this.#connection === undefined) return NOT_STARTED;
    if (held.length === 0) return DELIVERED;
    const slices = held.flatMap((batch) => batch.slices);
    try {
      if (this.#isReopenWanted) await this.#replaceConnection();
      await this.#tables.ready();
      await this.#store(held, signal);
      this.#events.reached();
      return DELIVERED;
    } catch (error) {
      this.#known.failed(slices);
      this.#events.failed();
      if (isMissing(error)) this.#tables.forget();
      if (isUnreachable(error) && !signal.aborted) this.#reportUnreachable(error);
      return this.#failed(error);
    }
  }

  /** Reads certificate and password files again before the next flush. */
  async reopen(): Promise<void> {
    this.#isReopenWanted = true;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#held = [];
    if (connection === undefined) return;
    // Maintenance can be interrupted at any time, so stop does not wait for it.
    this.#ended.abort(new Error('the emitter was stopped'));
    await untilAborted(Promise.all([this.#maintenance.stop(), connection.close()]), deadline);
    this.#events.flush();
  }

  async #store(held: readonly Batch[], signal: AbortSignal): Promise<void> {
    const slices = held.flatMap((batch) => batch.slices);
    const dropped = held.flatMap((batch) => batch.dropped ?? []);
    const pieces = this.#known.cut(slices);
    const isUncertain = pieces.length > 0 && this.#known.areUncertain(pieces);
    if (pieces.length > 0) {
      const stored = await storeSlices(pieces, {
        connection: this.#open(),
        request: { timeoutMs: this.#configuration.timeout, signal },
        writer: this.#writer,
        flush: ++this.#flush,
        isUncertain,
        knownNames: this.#knownNames,
        nowUnixMicro: Number(this.#context.clock.nowUnixNano() / 1000n),
      });
      this.#events.stored({ ...stored, isChecked: isUncertain });
    }
    const ranges = slices.map((slice) => ({ stream: slice.stream, start: slice.start, end: endOf(slice) }));
    const bytes = slices.reduce((sum, { data }) => sum + data.length, 0);
    this.#known.stored([...ranges, ...dropped], bytes);
  }

  #failed(error: unknown): Retry | Rejected {
    const reason = `${this.#connection?.place}: ${describeFailure(error)}`;
    return { kind: isAboutContent(error) ? 'rejected' : 'retry', reason, rolledBack: true };
  }

  #reportUnreachable(error: unknown): void {
    const place = this.#connection?.place ?? '';
    this.#events.unreachable({ place, reason: describeFailure(error), remedy: remedyFor(error) });
  }

  #open(): Connection {
    if (this.#connection === undefined) throw new Error('the emitter is not started');
    return this.#connection;
  }

  /** The database does not exist yet, and a request that names it is refused. */
  async #runOutside(statement: string): Promise<void> {
    const { clock } = this.#context;
    const { current } = this.#open();
    const connection = await Connection.open(this.#configuration, { clock, database: 'default', current });
    try {
      await connection.command(statement, {
        settings: CHANGE_SETTINGS,
        timeoutMs: this.#configuration.timeout,
        signal: this.#ended.signal,
      });
    } finally {
      await connection.close();
    }
  }

  async #replaceConnection(): Promise<void> {
    this.#isReopenWanted = false;
    try {
      const old = this.#connection;
      this.#connection = await Connection.open(this.#configuration, this.#context);
      void old?.close();
    } catch (error) {
      this.#events.reopenFailed({ reason: describeFailure(error) });
    }
  }
}

const NOT_STARTED: Retry = { kind: 'retry', reason: 'the emitter is not started', rolledBack: true };

/** At a crash, at most one flush group was stored and not committed; this is several of them. */
const UNCERTAIN_BYTES = 128 * 1024 * 1024;
