import type { Amount } from '../../records/amount.ts';
import type { Position } from '../../records/position.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import { SerialQueue } from '../../runtime/async/serial-queue.ts';
import { openMetrics } from '../../runtime/events/open-metrics.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import type { FileSystem } from '../state/file-system.ts';
import { FreeSpace } from '../state/free-space.ts';
import type { StateStore } from '../state/state-store.ts';
import type { WriteHealth } from '../state/write-health.ts';
import { Arrivals } from './arrivals.ts';
import { balanceOf } from './balance.ts';
import type { Cursors } from './cursors.ts';
import type { StoredDeadLetters } from './dead-letters.ts';
import { EmitterCursors, type KnownEmitter } from './emitter-cursors.ts';
import { QUEUE_GAUGES, type QueueEvents } from './events.ts';
import { findRecord } from './find-record.ts';
import { Forgetting } from './forgetting.ts';
import { GroupCommit } from './group-commit.ts';
import { StreamLedger } from './ledger.ts';
import { Maintenance } from './maintenance.ts';
import type { IncomingBatch, QueueBalance, QueueCursor } from './queue-contract.ts';
import type { QueueIndex } from './queue-index.ts';
import type { Queue, QueueFullness, QueueOptions } from './queue-options.ts';
import { QueueReader } from './queue-reader.ts';
import { QueueSpace } from './queue-space.ts';
import type { QueueTables } from './queue-tables.ts';
import { RunningTime } from './running-time.ts';
import { StreamCounts } from './stream-counts.ts';
import { Trimming } from './trimming.ts';

/** With 100 new files a day, and 30 days until they are forgotten, a collector has 3,000. */
const STREAMS_PER_COLLECTOR = 100_000;
const OVERLAP_FROM_BYTES = 2 * 1024 * 1024;

export interface SegmentQueueParts {
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

/** The queue: its parts, and how they are connected. */
export class SegmentQueue implements Queue {
  readonly ledger: StreamLedger;
  readonly deadLetters: StoredDeadLetters;
  readonly #parts: SegmentQueueParts;
  readonly #reader: QueueReader;
  readonly #arrivals = new Arrivals();
  readonly #space: QueueSpace;
  readonly #groupCommit: GroupCommit;
  readonly #trimming: Trimming;
  readonly #emitters: EmitterCursors;
  readonly #maintenance: Maintenance;
  readonly #runningTime: RunningTime;
  #closing: Promise<void> | undefined;

  constructor(options: QueueOptions, parts: SegmentQueueParts) {
    const { clock, directory, maxBytes, whenFull, freeSpace } = options;
    const { index, log, deadLetters, fileSystem } = parts;
    this.#parts = parts;
    this.deadLetters = deadLetters;
    const logTurns = new SerialQueue();
    const runningTime = new RunningTime(parts.store, parts.tables, clock);
    const { onUnused = () => undefined } = options;
    const reader = new QueueReader(log, index, onUnused);
    this.#runningTime = runningTime;
    this.#reader = reader;
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
      ...{ ...parts, logTurns, reader, runningTime, streamCounts, clock, onUnused },
      ledger: this.ledger,
      space: this.#space,
      overlapFromBytes: options.overlapFromBytes ?? OVERLAP_FROM_BYTES,
      onAdded: () => this.#arrivals.announce(index.next),
    });
    const trimming = this.#trimming;
    const arrivals = this.#arrivals;
    this.#emitters = new EmitterCursors({ ...parts, reader, arrivals, trimming });
    const forgetting = new Forgetting({ ...parts, ledger: this.ledger, runningTime, streamCounts });
    this.#maintenance = new Maintenance({
      ...{ ...parts, runningTime, forgetting, trimming, clock },
      ledger: this.ledger,
    });
    openMetrics(QUEUE_GAUGES, {
      registry: options.metrics,
      readings: {
        used: () => this.#space.usedBytes,
        deadLetters: () => deadLetters.bytes,
        stopped: () => (this.stopped === undefined ? 0 : 1),
        queued: () => this.knownEmitters().map(({ name, queued }) => [{ emitter: name }, queued.bytes]),
      },
    });
  }

  async start(): Promise<void> {
    await this.#space.look();
    await this.#trimming.trim();
    this.#maintenance.start();
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

  whenDelivered(emitter: string): Promise<void> {
    const { cursors, index } = this.#parts;
    return cursors.passed(emitter, index.next);
  }

  openCursor(emitter: string, start: 'oldest' | 'now', returnsRecords?: boolean): Promise<QueueCursor> {
    return this.#emitters.open(emitter, start, returnsRecords);
  }

  get nextEntry(): number {
    return this.#parts.index.next;
  }

  knownEmitters(): readonly KnownEmitter[] {
    return this.#emitters.known();
  }

  forgetEmitter(emitter: string): Promise<boolean> {
    return this.#emitters.forget(emitter);
  }

  skipCorruptEntry(emitter: string): Promise<Amount | undefined> {
    return this.#emitters.skipCorruptEntry(emitter);
  }

  async recentEntries(records: number): Promise<readonly RecordBatch[]> {
    const { index } = this.#parts;
    const found: RecordBatch[] = [];
    let count = 0;
    for (let number = index.next - 1; number >= index.first && count < records; number--) {
      const entry = await this.#reader.read(number).catch(() => undefined);
      if (entry === undefined) continue;
      found.push(entry.batch);
      count += entry.batch.sizes.length;
    }
    return found;
  }

  findRecord(stream: StreamId, position: Position): Promise<RecordBatch | undefined> {
    return findRecord({ ...this.#parts, reader: this.#reader }, stream, position);
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

  async #close(): Promise<void> {
    const { store, log, deadLetters, events } = this.#parts;
    this.#maintenance.stop();
    this.#parts.health.close();
    const working = this.#groupCommit.close();
    this.#space.close();
    this.#parts.cursors.close();
    await working;
    await this.#trimming.trim();
    await this.ledger.settled();
    await this.#runningTime
      .save()
      .catch((error) => events.backgroundWriteFailed({ err: error, what: 'the time this has run' }));
    await deadLetters.close();
    await log.close();
    await store.close();
  }
}
