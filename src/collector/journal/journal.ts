import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { mintStreamId } from '../../records/stream-id.ts';
import { youngCollection } from '../../runtime/buffer-collection.ts';
import type { Clock } from '../../runtime/clock.ts';
import { FreeSpace } from '../../storage/free-space.ts';
import { SegmentLog } from '../../storage/segment-log.ts';
import type { StateStore } from '../../storage/state-store.ts';
import type { StreamSink } from '../source.ts';
import type { StreamStatus } from '../stream-status.ts';
import { channelStatus } from './channel-status.ts';
import { createJournalEvents, type JournalEvents } from './events.ts';
import { JournalChannel, newChannelRow } from './journal-channel.ts';
import { type CommittedRecords, JournalCommit } from './journal-commit.ts';
import { type ChannelRow, JournalIndex } from './journal-index.ts';
import { JournalReader } from './journal-reader.ts';
import { JournalRoom } from './journal-room.ts';
import { JournalSegments } from './journal-segments.ts';
import { JournalStream, type JournalStreamHost } from './journal-stream.ts';
import { addLoss, type Loss } from './loss.ts';
import type { RecordLabel } from './pending-records.ts';
import { StepLoop } from './step-loop.ts';

/*
 * A collector's durable buffer for records that cannot be read again: what a socket gave is on disk before it is
 * published, and stays there until the aggregator has accepted it.
 *
 *     append -> pending (memory) --step--> segment, fdatasync --> one transaction in the state store --> published
 *                                                                                                          |
 *                       segments without live entries are removed <-- entries are removed <-- accepted <---'
 *
 * Limits
 *   - `append` returns at once, always. Pending records have 32 MiB; what is on disk has `maxBytes`, counted as segment
 *     files; the disk has its reserve; and one stream may hold half of `maxBytes` when there are others. Beyond any of
 *     these a record is dropped and counted. Counting goes on until a good part is free again, so that full and not full
 *     do not alternate with every record.
 *   - A loss is kept on disk at most a second after it began and after it grew. As soon as there is room, one record of
 *     the stream itself says how many were lost and when; the transaction that holds this record takes back the count.
 *
 * Format: an entry of the segments is a RecordBatch message (the one of the wire) of up to 256 KiB with the records of
 *   one stream that share a label. The state store has, for each entry, where it lies (`JournalIndex`), for each channel
 *   its stream, its accepted end and the 64 bytes before it, and the place of the last entry.
 *
 * Steps: one at a time; each does all that is to be done, in this order: write what is pending, flush it, commit it
 *   together with what was accepted and lost, remove segments. A step begins 10 ms after the first record (group
 *   commit), or 50 ms when more than 40 streams take part; at once when 1 MiB is pending. What was accepted is removed
 *   every 200 ms.
 *
 * When something fails: nothing that was taken is given up. A failed step leaves disk and index as they were, puts the
 *   records back, and is made again after a second. Damaged entries are left out and counted, and the stream has a gap.
 *
 * Recovery: the index is the truth. What lies behind its last entry is cut off; that is what was never published.
 *
 * A channel is one origin's records; a stream is what the aggregator knows it by. They part when the aggregator knows
 * other bytes of a stream (this state was rolled back or cloned): the channel goes on as a new stream from its accepted
 * end.
 */
export interface JournalOptions {
  /** The source whose journal it is: part of directory, tables and metrics. */
  readonly name: string;
  /** The collector's state directory. */
  readonly directory: string;
  readonly state: StateStore;
  readonly maxBytes: number;
  /** The record that tells of a loss, in the label's format. */
  readonly lossRecord: (loss: Loss, label: RecordLabel) => Uint8Array;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** For tests: a disk of their own. */
  readonly freeSpace?: Pick<FreeSpace, 'check' | 'shortage'>;
  readonly openLog?: (directory: string, segmentBytes: number) => Promise<SegmentLog>;
}

/** Where the records of one origin go. */
export interface JournalWriter {
  /** Copies the record; returns at once. When there is no room, it is dropped and counted. */
  append(record: Uint8Array, label: RecordLabel): void;
  /** No more will come. The stream ends when all of it is accepted. */
  close(): void;
}

const COMMIT_AFTER_MS = 10;
/** Each stream in a commit has its cost, whatever it brings: of many, more is to come together. */
const MANY_STREAMS = 40;
const COMMIT_MANY_AFTER_MS = 50;
const COMMIT_AT_ONCE_BYTES = 1024 * 1024;
const REMOVE_AFTER_MS = 200;
const KEEP_LOSS_AFTER_MS = 1000;
const RETRY_AFTER_MS = 1000;
const LARGEST_SEGMENT_BYTES = 64 * 1024 * 1024;
const SEGMENTS_PER_JOURNAL = 16;
/** What a record takes besides its bytes, while it is pending. */
const RECORD_OVERHEAD_BYTES = 16;

/** What came over sockets, and what it was gathered in, is garbage once it is committed. */
const letGo = youngCollection(512 * 1024);

export class Journal implements JournalStreamHost {
  readonly reader: JournalReader;
  readonly #options: JournalOptions;
  readonly #events: JournalEvents;
  readonly #freeSpace: Pick<FreeSpace, 'check' | 'shortage'>;
  readonly #log: SegmentLog;
  readonly #segments: JournalSegments;
  readonly #commit: JournalCommit;
  readonly #room: JournalRoom;
  readonly #steps: StepLoop;
  readonly #channels = new Map<number, JournalChannel>();
  readonly #drains: Drain[] = [];
  #nextChannel = 1;
  #sink: StreamSink | undefined;
  #lossKeptMs = Number.NEGATIVE_INFINITY;
  #removedMs = Number.NEGATIVE_INFINITY;
  #commitAfterMs = COMMIT_AFTER_MS;
  #closing = false;
  #failure: string | undefined;

  /** Opens the journal and brings it to where its last commit left it. */
  static async open(options: JournalOptions): Promise<Journal> {
    const directory = join(options.directory, 'journal', options.name);
    const segmentBytes = Math.min(LARGEST_SEGMENT_BYTES, Math.ceil(options.maxBytes / SEGMENTS_PER_JOURNAL));
    const { openLog = openSegmentLog } = options;
    const log = await openLog(directory, segmentBytes);
    const index = new JournalIndex(options.state, options.name);
    await log.truncateTo(index.last);
    const segments = new JournalSegments(log, segmentBytes);
    for (const place of index.entries()) segments.hold(place.location);
    return new Journal(options, { log, index, segments });
  }

  private constructor(options: JournalOptions, { log, index, segments }: JournalFiles) {
    const { name, clock, logger, metrics, maxBytes, state } = options;
    this.#options = options;
    this.#events = createJournalEvents(name, logger, metrics);
    this.#freeSpace = options.freeSpace ?? new FreeSpace({ directory: log.directory, clock });
    this.#log = log;
    this.#segments = segments;
    this.reader = new JournalReader(index, log, this.#events);
    this.#commit = new JournalCommit({ log, index, segments, state, reader: this.reader });
    this.#room = new JournalRoom({ maxBytes, freeSpace: this.#freeSpace, events: this.#events });
    this.#room.diskBytes = log.bytes;
    this.#steps = new StepLoop(clock, () => this.#step());
    for (const { number, row } of index.channels())
      this.#addChannel(number, row, index.lastEntry(number)?.end ?? 0);
    this.#events.opened(this.#channels.size, log.bytes);
  }

  /** From now on streams are offered to the sink; those that are there at once. */
  attach(sink: StreamSink): void {
    this.#sink = sink;
    for (const channel of this.#channels.values()) {
      sink.open(new JournalStream(channel, this));
      // Its row is removed; the publisher has the stream, and says that it is final.
      if (channel.finished) channel.dirty = true;
    }
    this.#steps.after(0);
  }

  /** The origins whose streams have not been closed. */
  get openOrigins(): string[] {
    return [...this.#channels.values()].filter(({ closed }) => !closed).map(({ origin }) => origin);
  }

  /** Why the last step failed; undefined when it succeeded. A step that failed is made again after a second. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Every stream, by its origin. What is pending does not exist yet. */
  status(): readonly StreamStatus[] {
    const nowMs = this.#options.clock.monotonicMs();
    return Array.from(this.#channels.values(), (channel) => channelStatus(channel, nowMs));
  }

  /** The writer of an origin, whose stream goes on where it was. One writer for each origin at a time. */
  writer(origin: string): JournalWriter {
    const channel = this.#openChannel(origin) ?? this.#newChannel(origin);
    return {
      append: (record, label) => this.#append(channel, record, label),
      close: () => this.#close(channel),
    };
  }

  /** Resolves when all that is in the journal now is accepted. */
  async drained(): Promise<void> {
    await this.#steps.now();
    const ends = new Map([...this.#channels.values()].map((channel) => [channel, channel.flushedEnd]));
    return new Promise((resolve) => {
      this.#drains.push({ ends, resolve });
      this.#tellDrained();
    });
  }

  /** Takes nothing more; flushes what is pending, if the disk lets it before the deadline. Safe twice. */
  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await this.#steps.stop();
    do await this.#steps.now();
    while (this.#room.pendingBytes > 0 && !deadline.aborted && (await this.#pauseToRetry(deadline)));
    await this.#log.close();
  }

  /** For the streams. */
  accepted(): void {
    this.#steps.after(this.#room.full ? 0 : REMOVE_AFTER_MS);
    this.#tellDrained();
  }

  /** For the streams. */
  async rolledBack(channel: JournalChannel): Promise<void> {
    const { stream } = channel;
    this.#events.rolledBack(channel.origin);
    channel.stream = mintStreamId();
    channel.offset = channel.accepted;
    channel.checksums.restart(channel.accepted);
    channel.dirty = true;
    this.#sink?.close(stream);
    // A stream is offered only when its identity is on disk.
    for (await this.#steps.now(); channel.dirty && !this.#closing; await this.#steps.now())
      await this.#options.clock.sleep(RETRY_AFTER_MS);
    this.#sink?.open(new JournalStream(channel, this));
  }

  #openChannel(origin: string): JournalChannel | undefined {
    return [...this.#channels.values()].find((channel) => channel.origin === origin && !channel.closed);
  }

  #newChannel(origin: string): JournalChannel {
    const channel = this.#addChannel(this.#nextChannel, newChannelRow(origin, mintStreamId()), 0);
    channel.unopened = true;
    return channel;
  }

  #addChannel(number: number, row: ChannelRow, flushedEnd: number): JournalChannel {
    const { clock, maxBytes } = this.#options;
    const share = JournalRoom.share(maxBytes);
    const channel = new JournalChannel(number, row, { flushedEnd, share, nowMs: clock.monotonicMs() });
    this.#channels.set(number, channel);
    this.#nextChannel = Math.max(this.#nextChannel, number + 1);
    return channel;
  }

  #append(channel: JournalChannel, record: Uint8Array, label: RecordLabel): void {
    if (record.length === 0) return;
    const size = record.length + RECORD_OVERHEAD_BYTES;
    if (this.#closing || channel.closed || !this.#hasRoom(channel, size))
      return this.#lose(channel, record.length, label);
    this.#tellLoss(channel);
    channel.pending.add(record, label, this.#now);
    this.#count(channel, size);
  }

  #hasRoom(channel: JournalChannel, size: number): boolean {
    return this.#room.admits(channel, size, this.#channels.size === 1);
  }

  #count(channel: JournalChannel, size: number): void {
    channel.pendingBytes += size;
    this.#room.pendingBytes += size;
    this.#steps.after(this.#room.pendingBytes >= COMMIT_AT_ONCE_BYTES ? 0 : this.#commitAfterMs);
  }

  #lose(channel: JournalChannel, bytes: number, label: RecordLabel): void {
    if (channel.loss === undefined) this.#events.streamLoses(channel.origin);
    this.#events.lost(bytes);
    channel.loss = addLoss(channel.loss, bytes, Number(this.#now() / 1_000_000n));
    channel.lossLabel = label;
    channel.lossChanged = true;
    this.#steps.after(KEEP_LOSS_AFTER_MS);
  }

  /** Nothing is held back for this record: it is small, and there is one for each loss. */
  #tellLoss(channel: JournalChannel): void {
    const { loss, lossLabel, telling } = channel;
    if (loss === undefined || lossLabel === undefined || telling) return;
    const record = this.#options.lossRecord(loss, lossLabel);
    channel.telling = true;
    channel.pending.addTelling(loss, record, lossLabel, this.#now);
    this.#count(channel, record.length + RECORD_OVERHEAD_BYTES);
  }

  #close(channel: JournalChannel): void {
    if (channel.closed) return;
    channel.closed = true;
    channel.dirty = true;
    this.#steps.after(0);
  }

  readonly #now = (): bigint => this.#options.clock.nowUnixNano();

  async #step(): Promise<void> {
    await this.#freeSpace.check();
    this.#keepLosses();
    try {
      const committed = await this.#commit.run([...this.#channels.values()], this.#isRemovalDue());
      this.#commitAfterMs = commitAfterMs(committed);
      for (const { channel, records, bytes } of committed) this.#committed(channel, records, bytes);
      await this.#segments.removeDead((segment, error) => this.#events.segmentStays(segment, error));
    } catch (error) {
      this.#events.commitFailed(error as Error);
      this.#failure = (error as Error).message;
      this.#steps.after(RETRY_AFTER_MS);
      return;
    }
    this.#failure = undefined;
    this.#room.diskBytes = this.#segments.bytes;
    this.#events.size(this.#segments.bytes);
    this.#tellLosses();
    this.#forgetFinished();
    this.#stepAgain();
  }

  /** Now and then: what is accepted costs a look-up in the index for each stream, and nothing waits for its end. */
  #isRemovalDue(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#removedMs < REMOVE_AFTER_MS && !this.#room.full && !this.#closing) return false;
    this.#removedMs = nowMs;
    return true;
  }

  /** At most once a second: what is lost while a disk is full must not keep the disk busy. */
  #keepLosses(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#lossKeptMs < KEEP_LOSS_AFTER_MS && !this.#closing) return;
    this.#lossKeptMs = nowMs;
    for (const channel of this.#channels.values()) {
      if (channel.lossChanged) channel.dirty = true;
      channel.lossChanged = false;
    }
  }

  #committed(channel: JournalChannel, records: number, bytes: number): void {
    this.#events.committed(records, bytes);
    letGo(bytes);
    channel.growth.saw(channel.flushedEnd, this.#options.clock.monotonicMs());
    const released = bytes + records * RECORD_OVERHEAD_BYTES;
    channel.pendingBytes -= released;
    this.#room.pendingBytes -= released;
    if (channel.unopened && records > 0) {
      channel.unopened = false;
      this.#sink?.open(new JournalStream(channel, this));
    }
    // There is more, or there will be no more.
    if (records > 0 || channel.closed) this.#sink?.wake(channel.stream);
  }

  /** Streams that went quiet tell of their loss as soon as there is room, not with their next record. */
  #tellLosses(): void {
    if (this.#closing) return;
    for (const channel of this.#channels.values())
      if (channel.loss !== undefined && !channel.telling && this.#hasRoom(channel, 0))
        this.#tellLoss(channel);
  }

  #forgetFinished(): void {
    for (const channel of this.#channels.values())
      if (channel.finished && !channel.dirty && !channel.isBehind) this.#channels.delete(channel.number);
  }

  /** What one step could not finish, or what waits for room that nobody will tell of. */
  #stepAgain(): void {
    const channels = [...this.#channels.values()];
    if (channels.some(({ dirty }) => dirty)) this.#steps.after(0);
    else if (channels.some(({ isBehind }) => isBehind))
      this.#steps.after(this.#room.full ? 0 : REMOVE_AFTER_MS);
    if (channels.some(({ loss }) => loss !== undefined)) this.#steps.after(KEEP_LOSS_AFTER_MS);
  }

  #tellDrained(): void {
    for (const drain of this.#drains.splice(0)) {
      if ([...drain.ends].every(([channel, end]) => channel.accepted >= end)) drain.resolve();
      else this.#drains.push(drain);
    }
  }

  #pauseToRetry(deadline: AbortSignal): Promise<boolean> {
    return this.#options.clock.sleep(RETRY_AFTER_MS, deadline).then(
      () => true,
      () => false,
    );
  }
}

interface JournalFiles {
  readonly log: SegmentLog;
  readonly index: JournalIndex;
  readonly segments: JournalSegments;
}

/** How long the next commit waits for company. */
function commitAfterMs(committed: readonly CommittedRecords[]): number {
  const streams = committed.filter(({ records }) => records > 0).length;
  return streams > MANY_STREAMS ? COMMIT_MANY_AFTER_MS : COMMIT_AFTER_MS;
}

/** Someone waits until these ends are accepted. */
interface Drain {
  readonly ends: ReadonlyMap<JournalChannel, number>;
  readonly resolve: () => void;
}

function openSegmentLog(directory: string, segmentBytes: number): Promise<SegmentLog> {
  return SegmentLog.open({ directory, segmentBytes });
}
