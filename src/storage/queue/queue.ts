import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Amount } from '../../records/amount.ts';
import { minus, plus } from '../../records/amount.ts';
import { SerialQueue } from '../../runtime/async/serial-queue.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import { SegmentLog } from '../segments/segment-log.ts';
import { type FileSystem, nodeFileSystem } from '../state/file-system.ts';
import { FreeSpace, type FreeSpaceOptions } from '../state/free-space.ts';
import { probeDisk } from '../state/probe-file.ts';
import { openStateStore, type StateStore } from '../state/state-store.ts';
import { WriteHealth } from '../state/write-health.ts';
import { Arrivals } from './arrivals.ts';
import { balanceOf } from './balance.ts';
import { CorruptQueueEntryError } from './corrupt-queue-entry-error.ts';
import { Cursors } from './cursors.ts';
import { StoredDeadLetters } from './dead-letters.ts';
import { QueueEvents } from './events.ts';
import { Forgetting } from './forgetting.ts';
import { GroupCommit } from './group-commit.ts';
import { assertIndexFits } from './index-check.ts';
import { StreamLedger } from './ledger.ts';
import {
  type CursorPoint,
  type DeadLetters,
  type IncomingBatch,
  type Ledger,
  type QueueBalance,
  type QueueCursor,
  QueueError,
  type QueueWriter,
} from './queue-contract.ts';
import { EmitterCursor } from './queue-cursor.ts';
import { QueueIndex } from './queue-index.ts';
import { QueueReader } from './queue-reader.ts';
import { recoverLog } from './queue-recovery.ts';
import { type Fullness, QueueSpace } from './queue-space.ts';
import { type QueueTables, queueTables } from './queue-tables.ts';
import { RunningTime } from './running-time.ts';
import { StreamCounts } from './stream-counts.ts';
import { Trimming } from './trimming.ts';

/*
 * The aggregator's durable log of accepted record batches.
 *
 *     <directory>/queue/          bytes of the entries         segment-log.ts
 *     <directory>/dead-letters/   bytes of rejected pieces     dead-letters.ts
 *     <directory>/state/          everything small, in LMDB    queue-tables.ts
 *
 *     append --> group-commit.ts --+--> segment + fdatasync --> one transaction (index, ranges, totals) --> resolve
 *                                  |
 *                queue-space.ts ---+    waits while the queue or the disk is full
 *
 *     openCursor --> queue-cursor.ts: read (memory, or pread + CRC) ... commit (cursor, state, dead letters, discarded)
 *                                  |
 *                trimming.ts <-----+    segments that all cursors have passed are removed
 *
 * Guarantees
 *   - A cursor sees an entry, and the ledger a range, only after the one transaction with both is on
 *     disk. There are never bytes without their range, nor a range without its bytes.
 *   - The index is authoritative. Bytes that it does not list are garbage, truncated at the next start.
 *   - Each commit of a cursor is a separate transaction; LMDB combines several, and the group commit's. It
 *     does not wait for bytes being written.
 *
 * When an entry cannot be read back (a damaged or missing file), `read` rejects with a CorruptQueueEntryError that
 * names file, entry and stream, each time: this emitter waits, the others and the intake continue. The operator
 * restores the file, or uses `skipCorruptEntry` to count the entry as discarded and continue after it. Missing or
 * short files are reported at the start already.
 *
 * Limits: `maxBytes` of disk for the queue, `deadLetterMaxBytes` for the dead letters; in memory 6 MiB of recent
 * records, two entries and one of read-ahead for each emitter, the ledger's bounded caches, and waiting batches of `append`.
 */
export interface QueueOptions {
  /** The aggregator's state directory. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly maxBytes: number;
  readonly whenFull: 'stop' | 'drop-oldest';
  readonly deadLetterMaxBytes: number;
  /** Default: 64 MiB, or a sixteenth of `maxBytes` when that is less, but not below 1 MiB. */
  readonly segmentBytes?: number;
  /** The disk's reserve; see `free-space.ts`. */
  readonly freeSpace?: Pick<FreeSpaceOptions, 'reserveBytes' | 'reserveFraction'>;
  readonly fileSystem?: FileSystem;
  /** The step in which the file of the queue's state grows; see `state-store.ts`. */
  readonly stateStepBytes?: number;
  /** Maximum number of streams of one collector in the ledger. Default: 100,000. */
  readonly streamsPerCollector?: number;
  /** For tests that fail commits. */
  readonly openStore?: typeof openStateStore;
}

export interface KnownEmitter {
  readonly name: string;
  readonly committed: CursorPoint;
  readonly queued: Amount;
  readonly deadLettered: Amount;
}

export interface QueueFullness extends Fullness {
  /** The emitter with this backlog; undefined when no emitter is known. */
  readonly furthestBehind: { readonly emitter: string; readonly queued: Amount } | undefined;
}

export interface Queue extends QueueWriter {
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetters;
  /**
   * The emitter's cursor at its last position; a new name begins at the oldest entry, or after the newest.
   */
  openCursor(emitter: string, start: 'oldest' | 'now'): Promise<QueueCursor>;
  /** Every name that has a cursor. */
  knownEmitters(): readonly KnownEmitter[];
  /** Removes cursor, state and dead letters of a name that is not open. False: there was none. */
  forgetEmitter(emitter: string): Promise<boolean>;
  /**
   * Skips the entry at this emitter's cursor if it is damaged. Returns the lost amount; undefined: the entry
   * is sound.
   */
  skipCorruptEntry(emitter: string): Promise<Amount | undefined>;
  balance(): QueueBalance;
  fullness(): QueueFullness;
  /** Why the last commit of records, a cursor or other state failed; undefined when commits succeed. */
  readonly failing: string | undefined;
  /** Completes running operations; waiting appends are rejected. Safe to call twice. */
  close(): Promise<void>;
}

/** With 100 new files a day, and 30 days until they are forgotten, a collector has 3,000. */
const STREAMS_PER_COLLECTOR = 100_000;

const MIB = 1024 * 1024;
const HOUSEKEEPING_MS = 10 * 60 * 1000;

/**
 * Rejects with a QueueError when the index is damaged, with a StateStoreError when LMDB cannot open its file.
 */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  const { directory, openStore = openStateStore, fileSystem = nodeFileSystem } = options;
  const { segmentBytes = Math.min(64 * MIB, Math.max(MIB, Math.floor(options.maxBytes / 16))) } = options;
  const { stateStepBytes: stepBytes } = options;
  const health = new WriteHealth(options.clock, async () => {
    await store.write(() =>
      store.table<number>('probe').put('time', Number(options.clock.nowUnixNano() / 1_000_000n)),
    );
    await probeDisk(directory, fileSystem);
  });
  const onCommit = (failure: Error | undefined) =>
    failure === undefined ? health.succeeded('state') : health.failed('state', failure);
  const store = await openStore(join(directory, 'state'), {
    onCommit,
    ...(stepBytes !== undefined && { stepBytes }),
  });
  const opened: SegmentLog[] = [];
  const openLog = async (name: string, bytes: number) => {
    const log = await SegmentLog.open({ directory: join(directory, name), segmentBytes: bytes, fileSystem });
    opened.push(log);
    return log;
  };
  try {
    const events = new QueueEvents(options.logger, options.metrics, health);
    const tables = queueTables(store);
    const index = new QueueIndex(tables);
    const log = await openLog('queue', segmentBytes);
    await recoverLog({ log, index, events });
    const cursors = new Cursors(store, tables, index);
    assertIndexFits(index, cursors);
    const deadLetters = await StoredDeadLetters.open({
      ...{ store, tables, cursors, events },
      log: await openLog('dead-letters', 8 * MIB),
      clock: options.clock,
      maxBytes: options.deadLetterMaxBytes,
    });
    const queue = new SegmentQueue(options, {
      ...{ store, tables, index, log, cursors, deadLetters, events, segmentBytes, fileSystem, health },
    });
    await queue.start();
    return queue;
  } catch (error) {
    for (const log of opened) await log.close();
    await store.close();
    throw error;
  }
}

interface QueueParts {
  readonly store: StateStore;
  readonly tables: QueueTables;
  readonly index: QueueIndex;
  readonly log: SegmentLog;
  readonly cursors: Cursors;
  readonly deadLetters: StoredDeadLetters;
  readonly events: QueueEvents;
  readonly segmentBytes: number;
  readonly fileSystem: FileSystem;
  readonly health: WriteHealth;
}

class SegmentQueue implements Queue {
  readonly ledger: StreamLedger;
  readonly deadLetters: StoredDeadLetters;
  readonly #parts: QueueParts;
  readonly #clock: Clock;
  readonly #arrivals = new Arrivals();
  readonly #reader: QueueReader;
  readonly #space: QueueSpace;
  readonly #groupCommit: GroupCommit;
  readonly #trimming: Trimming;
  readonly #forgetting: Forgetting;
  readonly #runningTime: RunningTime;
  readonly #open = new Map<string, EmitterCursor>();
  #housekeeping: Cancel | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: QueueOptions, parts: QueueParts) {
    const { clock, directory, maxBytes, whenFull, freeSpace } = options;
    const { index, log, deadLetters, fileSystem } = parts;
    this.#parts = parts;
    this.#clock = clock;
    this.deadLetters = deadLetters;
    const logTurns = new SerialQueue();
    const runningTime = new RunningTime(parts.store, parts.tables, clock);
    const reader = new QueueReader(log, index);
    this.#reader = reader;
    this.#runningTime = runningTime;
    const streamCounts = new StreamCounts(parts.tables, options.streamsPerCollector ?? STREAMS_PER_COLLECTOR);
    this.ledger = new StreamLedger({ ...parts, runningTime, streamCounts });
    this.#trimming = new Trimming({
      ...parts,
      logTurns,
      isStopped: () => this.#space.stopped !== undefined,
      onTrimmed: () => this.#space.look(),
    });
    this.#space = new QueueSpace({
      ...{ ...parts, clock, maxBytes },
      freeSpace: new FreeSpace({ directory, clock, fileSystem, ...freeSpace }),
      makeRoom: () => this.#trimming.trim(),
      dropOldest: whenFull === 'drop-oldest' ? () => this.#trimming.dropOldest() : undefined,
    });
    this.#groupCommit = new GroupCommit({
      ...{ ...parts, logTurns, reader, runningTime, streamCounts, clock },
      ledger: this.ledger,
      space: this.#space,
      onAdded: () => this.#arrivals.announce(index.next),
    });
    this.#forgetting = new Forgetting({ ...parts, ledger: this.ledger, runningTime, streamCounts });
    parts.events.watch({
      usedBytes: () => this.#space.usedBytes,
      deadLetterBytes: () => deadLetters.bytes,
      stopped: () => this.stopped !== undefined,
      queued: () => this.knownEmitters().map(({ name, queued }) => [name, queued] as const),
    });
  }

  async start(): Promise<void> {
    await this.#space.look();
    await this.#trimming.trim();
    this.#scheduleMaintenance();
  }

  get stopped(): string | undefined {
    return this.#space.stopped;
  }

  get failing(): string | undefined {
    return this.#parts.health.failure;
  }

  append(incoming: IncomingBatch): Promise<void> {
    return this.#groupCommit.append(incoming);
  }

  onStopped(listener: (reason: string | undefined) => void): () => void {
    return this.#space.onStopped(listener);
  }

  async openCursor(emitter: string, start: 'oldest' | 'now'): Promise<QueueCursor> {
    const { index, cursors } = this.#parts;
    if (cursors.row(emitter) === undefined) {
      const entry = start === 'oldest' ? index.first : index.next;
      const before = index.amountBefore({ entry, record: 0, offset: 0 });
      await cursors.add(emitter, entry, before).catch((error: Error) => {
        throw new QueueError(`Cannot create a cursor for emitter ${emitter}: ${error.message}`, {
          cause: error,
        });
      });
    }
    const cursor =
      this.#open.get(emitter) ??
      new EmitterCursor(emitter, {
        ...this.#parts,
        reader: this.#reader,
        arrivals: this.#arrivals,
        onMoved: () => this.#moved(),
      });
    this.#open.set(emitter, cursor);
    return cursor;
  }

  knownEmitters(): readonly KnownEmitter[] {
    const { cursors, deadLetters, index } = this.#parts;
    return cursors.emitters.map((name) => {
      const { entry = index.next, record = 0 } = cursors.row(name) ?? {};
      return {
        name,
        committed: { entry, record },
        queued: cursors.queued(name, index),
        deadLettered: deadLetters.amount(name),
      };
    });
  }

  async forgetEmitter(emitter: string): Promise<boolean> {
    const { cursors, deadLetters, events, index } = this.#parts;
    if (cursors.row(emitter) === undefined) return false;
    if (this.#open.has(emitter)) throw new QueueError(`Cannot forget emitter ${emitter}: it is in use`);
    const hadRecords = cursors.queued(emitter, index).records + deadLetters.amount(emitter).records > 0;
    try {
      await deadLetters.removeAll(emitter);
      await cursors.remove(emitter);
    } catch (error) {
      throw new QueueError(`Cannot forget emitter ${emitter}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    events.emitterForgotten(emitter, hadRecords);
    await this.#trimming.trim();
    return true;
  }

  async skipCorruptEntry(emitter: string): Promise<Amount | undefined> {
    const { cursors, events } = this.#parts;
    const standing = cursors.row(emitter);
    if (standing === undefined)
      throw new QueueError(`Cannot skip an entry of emitter ${emitter}: it does not exist`);
    const { entry, record, offset } = standing;
    const damage = await this.#reader.read(entry).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(damage instanceof CorruptQueueEntryError)) return undefined;
    const lost = minus(damage.amount, { records: record, bytes: offset });
    const behind = { entry: entry + 1, record: 0, offset: 0 };
    await cursors.change([emitter], (row) =>
      row.entry === entry ? { ...row, ...behind, discarded: { ...plus(row.discarded, lost) } } : row,
    );
    events.corruptEntryDiscarded(emitter, damage, lost);
    await this.#trimming.trim();
    return lost;
  }

  balance(): QueueBalance {
    const { index, cursors, deadLetters, log } = this.#parts;
    return balanceOf(index, cursors, deadLetters, log.bytes);
  }

  fullness(): QueueFullness {
    const { cursors, index } = this.#parts;
    const emitter = cursors.furthestBehind()?.emitter;
    const furthestBehind =
      emitter === undefined ? undefined : { emitter, queued: cursors.queued(emitter, index) };
    return { ...this.#space.fullness(), furthestBehind };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #moved(): void {
    const { cursors } = this.#parts;
    this.#reader.release(Math.min(...cursors.emitters.map((name) => cursors.row(name)?.entry ?? 0)));
    void this.#trimming.trim();
  }

  async #close(): Promise<void> {
    const { store, log, deadLetters, events } = this.#parts;
    this.#housekeeping?.();
    this.#parts.health.close();
    const working = this.#groupCommit.close();
    this.#space.close();
    await working;
    await this.#trimming.trim();
    await this.ledger.settled();
    await this.#runningTime
      .save()
      .catch((error) => events.backgroundWriteFailed(error, 'the time this has run'));
    await deadLetters.close();
    await log.close();
    await store.close();
  }

  #scheduleMaintenance(): void {
    this.#housekeeping = this.#clock.after(HOUSEKEEPING_MS, () => {
      void this.#clean().finally(() => {
        if (this.#closing === undefined) this.#scheduleMaintenance();
      });
    });
  }

  /** Runs the maintenance every ten minutes. */
  async #clean(): Promise<void> {
    try {
      await this.#runningTime.save();
      await this.ledger.writeTouched();
      while (this.#closing === undefined && !(await this.#forgetting.turn()));
    } catch (error) {
      this.#parts.events.backgroundWriteFailed(error, 'the maintenance of the queue');
    }
    await this.#trimming.trim();
  }
}
