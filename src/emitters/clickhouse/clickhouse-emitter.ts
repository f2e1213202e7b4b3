import { randomUUID } from 'node:crypto';
import type { SqlDatabase } from '../../logstore/sql/sql-database.ts';
import type { Batch } from '../../records/batch.ts';
import { endOf, type RecordBatch } from '../../records/record-batch.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Rejected, type Retry } from '../outcome.ts';
import { ClickHouseDatabase } from './clickhouse-database.ts';
import type { ClickHouseConfiguration } from './configuration.ts';
import { Connection } from './connection.ts';
import { describeFailure, isAboutContent, isMissing, isUnreachable, remedyFor } from './describe-failure.ts';
import { CLICKHOUSE_EVENTS, type ClickHouseEvents } from './events.ts';
import { FlushInserts } from './flush-inserts.ts';
import { KnownRecords, type StreamRange } from './known-records.ts';
import { Maintenance } from './maintenance.ts';
import { CHANGE_SETTINGS } from './query-settings.ts';
import { SpareBlocks } from './spare-blocks.ts';
import { Tables } from './tables.ts';

/**
 * Stores records in ClickHouse, each once on reading.
 *
 *     emit emit emit emit emit emit emit       flush
 *     part 1: encode   | insert
 *                part 2: encode   | insert ... wait for all parts | notes                    (flush-inserts.ts)
 *
 * ClickHouse has no transactions over several INSERTs. Three things together keep a record from being read twice:
 *
 * 1. An INSERT (a part, a day) is repeated with the same token, and the server ignores the second one.
 * 2. After a start and after a failed flush, the tables are asked which records they have (`known-records.ts`).
 * 3. Rows with the same identity, time, host and service are merged, and queries read one of them (`final`). This
 *    covers an INSERT that is stored after the question, and two aggregators that store the same record.
 *
 * LIMITS. The encoded rows of two parts (16 MiB of records and a batch each), 1 MiB and a batch of records that are not
 * encoded yet, 4 MiB of uncertain records, and eight connections.
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
  readonly #spare: SpareBlocks;
  #flush = 0;
  #part = 0;
  #connection: Connection | undefined;
  #isReopenWanted = false;
  /** Records that are not being encoded. Some are uncertain: many are compared with the tables at once. */
  #held: RecordBatch[] = [];
  #heldBytes = 0;
  #isUncertain = false;
  #group: Group | undefined;

  constructor(configuration: ClickHouseConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#spare = new SpareBlocks(context.clock);
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

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    if (this.#connection === undefined) return NOT_STARTED;
    this.#group ??= this.#newGroup();
    const group = this.#group;
    for (const slice of batch.slices) {
      group.ranges.push({ stream: slice.stream, start: slice.start, end: endOf(slice) });
      group.bytes += slice.data.length;
    }
    group.dropped.push(...(batch.dropped ?? []));
    this.#hold(batch.slices);
    // Delivery reads the next batches while this one is encoded.
    if (!this.#isUncertain || this.#heldBytes >= HELD_BYTES) await untilAborted(this.#add(group), signal);
    return DELIVERED;
  }

  async flush(signal: AbortSignal): Promise<FlushOutcome> {
    const group = this.#group;
    if (this.#connection === undefined) return NOT_STARTED;
    if (group === undefined) return DELIVERED;
    this.#group = undefined;
    const abort = () => group.aborted.abort(signal.reason);
    signal.addEventListener('abort', abort);
    try {
      if (signal.aborted) abort();
      void this.#add(group);
      await this.#store(group);
      this.#events.reached();
      return DELIVERED;
    } catch (error) {
      this.#known.failed(group.ranges);
      this.#events.failed();
      if (isMissing(error)) this.#tables.forget();
      if (isUnreachable(error) && !group.aborted.signal.aborted) this.#reportUnreachable(error);
      return this.#failed(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Reads certificate and password files again before the next flush. */
  async reopen(): Promise<void> {
    this.#isReopenWanted = true;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#releaseHeld();
    this.#spare.clear();
    this.#group?.aborted.abort(new Error('the emitter was stopped'));
    if (connection === undefined) return;
    // Maintenance can be interrupted at any time, so stop does not wait for it.
    this.#ended.abort(new Error('the emitter was stopped'));
    await untilAborted(Promise.all([this.#maintenance.stop(), connection.close()]), deadline);
    this.#events.flush();
  }

  #newGroup(): Group {
    const aborted = new AbortController();
    const inserts = new FlushInserts({
      connection: () => this.#open(),
      request: { timeoutMs: this.#configuration.timeout, signal: aborted.signal },
      prepare: async () => {
        if (this.#isReopenWanted) await this.#replaceConnection();
        await this.#tables.ready();
      },
      writer: this.#writer,
      nextToken: () => `${this.#writer}-${++this.#part}`,
      knownNames: this.#knownNames,
      known: this.#known,
      spare: this.#spare,
    });
    return { inserts, aborted, ranges: [], dropped: [], bytes: 0, hasPieces: false };
  }

  /** Records that are stored are left out. */
  #hold(slices: readonly RecordBatch[]): void {
    const pieces = this.#known.cut(slices);
    for (const piece of pieces) {
      this.#held.push(piece);
      this.#heldBytes += piece.data.length;
    }
    this.#isUncertain ||= this.#known.uncertainOf(pieces).length > 0;
  }

  async #add(group: Group): Promise<void> {
    const pieces = this.#held;
    this.#releaseHeld();
    if (pieces.length === 0) return;
    group.hasPieces = true;
    await group.inserts.add(pieces);
  }

  #releaseHeld(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#isUncertain = false;
  }

  async #store({ inserts, hasPieces, ranges, dropped, bytes }: Group): Promise<void> {
    if (hasPieces) {
      const nowUnixMicro = Number(this.#context.clock.nowUnixNano() / 1000n);
      const stored = await inserts.finish({ flush: ++this.#flush, nowUnixMicro });
      this.#events.stored(stored);
    }
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

/** The records since the last flush. */
interface Group {
  readonly inserts: FlushInserts;
  readonly aborted: AbortController;
  readonly ranges: StreamRange[];
  readonly dropped: StreamRange[];
  bytes: number;
  hasPieces: boolean;
}

const HELD_BYTES = 4 * 1024 * 1024;

/**
 * At a crash, at most two flush groups were stored and not committed: one with a running commit, and the next one, of
 * which parts are inserted. This is twice as much.
 */
const UNCERTAIN_BYTES = 512 * 1024 * 1024;
