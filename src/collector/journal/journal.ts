import { join } from 'node:path';
import type { Position } from '../../records/position.ts';
import { mintStreamId } from '../../records/stream-id.ts';
import { letHeapGrowAfter, minorGcEvery } from '../../runtime/buffer-collection.ts';
import type { BufferPool } from '../../runtime/buffer-pool.ts';
import { SegmentLog } from '../../storage/segments/segment-log.ts';
import { FreeSpace } from '../../storage/state/free-space.ts';
import type { StreamSink } from '../source.ts';
import type { StreamStatus } from '../stream-status.ts';
import { channelStatus } from './channel-status.ts';
import { CommitLoop } from './commit-loop.ts';
import { Drains } from './drains.ts';
import { JOURNAL_EVENTS, type JournalEvents } from './events.ts';
import { runBuffers } from './growing-run.ts';
import { JournalChannel, newChannelRow } from './journal-channel.ts';
import { type CommittedRecords, JournalCommit } from './journal-commit.ts';
import { type ChannelRow, JournalIndex } from './journal-index.ts';
import { JournalLosses, KEEP_LOSS_AFTER_MS } from './journal-losses.ts';
import type { JournalOptions } from './journal-options.ts';
import { JournalReader } from './journal-reader.ts';
import { JournalRoom } from './journal-room.ts';
import { JournalSegments } from './journal-segments.ts';
import { JournalStream, type JournalStreamHost } from './journal-stream.ts';
import { type JournalWriter, RECORD_OVERHEAD_BYTES, type WriterOptions } from './journal-writer.ts';
import { type PendingRecord, sizeOf } from './pending-records.ts';
import type { AppendedRun, RecordLabel } from './record-run.ts';
import { RoomWaiters } from './room-waiters.ts';
import { StreamWakes } from './stream-wakes.ts';

/**
 * A collector's durable buffer for records that cannot be read again: records from sockets are written to
 * disk before they are published, and stay there until the aggregator has accepted them.
 *
 *     append -> pending (memory) --step--> segment, fdatasync --> one transaction in the state store --> published
 *                                                                                                          |
 *                       segments without live entries are removed <-- entries are removed <-- accepted <---'
 *
 * Limits
 *
 * - `append` always returns at once. Pending records are limited to 32 MiB; segment files to `maxBytes`; the
 *   disk has a reserve; and one stream may use half of `maxBytes` when there are others. Above any of these
 *   limits `append` returns `full` until enough space is free, so that the answer does not change with each
 *   record. The source then waits for room, or drops the record.
 * - A dropped record is counted. A loss is stored on disk at most a second after it began or grew. As soon as there is room, one record in
 *   the stream itself reports how many records were lost and when; the transaction that stores this record
 *   resets the count.
 *
 * Format: a segment entry is a RecordBatch message (the one of the wire) of up to 256 KiB with records of one
 * stream and one label. The state store has the location of each entry (`JournalIndex`), the stream, the
 * accepted end and the 64 bytes before it for each channel, and the location of the last entry.
 *
 * Steps: one at a time. Each step writes pending records, flushes them, commits them together with
 * acceptances and losses, and removes segments. A step begins 10 ms after the first record (group commit), 50
 * ms with more than 40 active streams, or at once when 1 MiB is pending or a peer waits for an answer. Records that
 * arrive during a step are the next group of the same step if they are 64 KiB or more: they are written and flushed
 * while the transaction of the previous group runs (`JournalCommit`). Otherwise they belong to the next step. Accepted
 * entries are removed every 200 ms.
 *
 * Publishing: the publisher learns of the first commit at once, and of those that follow it at most every 10 ms
 * (`StreamWakes`), so that small commits become one batch.
 *
 * Answers: `append` returns a position, and `onFlushed` reports it after the commit. A position that was
 * reported is part of each later recovery.
 *
 * Failures: no accepted record is discarded. A failed step leaves disk and index unchanged, returns the
 * records to the pending ones, and is retried after a second. Damaged entries are skipped and counted, and
 * the stream has a gap.
 *
 * Recovery: the index is authoritative. Bytes after its last entry are truncated; they were never published.
 *
 * A channel contains one origin's records; a stream is the identity that the aggregator knows. When the
 * aggregator has other bytes of a stream (this state was rolled back or cloned), the channel continues as a
 * new stream from its accepted end.
 */
export class Journal implements JournalStreamHost {
  readonly reader: JournalReader;
  readonly #options: JournalOptions;
  readonly #events: JournalEvents;
  readonly #freeSpace: Pick<FreeSpace, 'check' | 'shortage'>;
  readonly #log: SegmentLog;
  readonly #buffers: BufferPool = runBuffers();
  readonly #segments: JournalSegments;
  readonly #commit: JournalCommit;
  readonly #room: JournalRoom;
  readonly #loop: CommitLoop;
  readonly #channels = new Map<number, JournalChannel>();
  readonly #losses: JournalLosses;
  readonly #drains = new Drains();
  readonly #waiters = new RoomWaiters();
  readonly #wakes: StreamWakes;
  #nextChannel = 1;
  #sink: StreamSink | undefined;
  #removedMs = Number.NEGATIVE_INFINITY;
  #commitAfterMs = COMMIT_AFTER_MS;
  #closing = false;
  #failure: string | undefined;

  /** Opens the journal and restores the state of its last commit. */
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
    const { clock, maxBytes, state, lossRecord } = options;
    this.#options = options;
    this.#events = openEvents(options);
    this.#freeSpace = options.freeSpace ?? new FreeSpace({ directory: log.directory, clock });
    this.#log = log;
    this.#segments = segments;
    this.reader = new JournalReader({ index, log, events: this.#events, buffers: this.#buffers });
    this.#commit = new JournalCommit({ log, index, segments, state, reader: this.reader });
    this.#room = new JournalRoom({ maxBytes, freeSpace: this.#freeSpace, events: this.#events });
    this.#room.diskBytes = log.bytes;
    this.#losses = new JournalLosses({
      ...{ clock, events: this.#events, lossRecord },
      appended: (channel, bytes) => this.#count(channel, bytes),
    });
    this.#loop = new CommitLoop(clock, () => this.#step());
    this.#wakes = new StreamWakes(clock, ({ stream }) => this.#sink?.wake(stream));
    for (const { number, row } of index.channels())
      this.#addChannel(number, row, index.lastEntry(number)?.end ?? 0);
    this.#events.opened({ streams: this.#channels.size, sizeBytes: log.bytes });
  }

  /** Offers all streams to the sink, existing ones at once. */
  attach(sink: StreamSink): void {
    this.#sink = sink;
    for (const channel of this.#channels.values()) {
      sink.open(new JournalStream(channel, this));
      // The row will be removed; the publisher has the stream, and reports that it is final.
      if (channel.finished) channel.dirty = true;
    }
    this.#loop.after(0);
  }

  /** The origins whose streams have not been closed. */
  get openOrigins(): string[] {
    return [...this.#channels.values()].filter(({ closed }) => !closed).map(({ origin }) => origin);
  }

  /** Why the last step failed; undefined when it succeeded. A failed step is retried after a second. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The status of each stream, without pending records. */
  status(): readonly StreamStatus[] {
    const nowMs = this.#options.clock.monotonicMs();
    return Array.from(this.#channels.values(), (channel) => channelStatus(channel, nowMs));
  }

  /** Returns the writer of an origin and continues its stream. One writer for each origin at a time. */
  writer(origin: string, { onFlushed, onStoring, order = 'arrival' }: WriterOptions = {}): JournalWriter {
    const channel = this.#openChannel(origin) ?? this.#newChannel(origin);
    channel.onFlushed = onFlushed;
    channel.onStoring = onStoring;
    channel.pending.order = order;
    return {
      append: (bytes, label, peer) => this.#append(channel, { bytes, label, peer, addsLf: false }),
      appendWithLf: (bytes, label, peer) => this.#append(channel, { bytes, label, peer, addsLf: true }),
      appendRun: (run, label) => this.#appendRun(channel, run, label),
      hasRoom: (bytes) => !this.#closing && !channel.closed && this.#hasRoom(channel, bytes),
      whenRoom: (bytes, signal) => this.#whenRoom(channel, bytes, signal),
      drop: (bytes, label) => this.#drop(channel, bytes, label),
      flushSoon: () => this.#flushSoon(),
      close: () => this.#close(channel),
    };
  }

  /** Resolves when all records that are in the journal now are accepted. */
  async drained(): Promise<void> {
    await this.#loop.now();
    await this.#drains.wait([...this.#channels.values()]);
  }

  /**
   * Accepts no more records; flushes pending ones if that succeeds before the deadline. Safe to call twice.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const channel of this.#waiters.channels) this.#waiters.end(channel);
    await this.#loop.stop();
    do await this.#loop.now();
    while (this.#room.pendingBytes > 0 && !deadline.aborted && (await this.#pauseToRetry(deadline)));
    this.#wakes.stop();
    await this.#log.close();
  }

  /** For the streams. */
  accepted(channel: JournalChannel): void {
    this.#loop.after(this.#room.full ? 0 : REMOVE_AFTER_MS);
    this.#drains.check();
    this.#releaseWaiters(channel);
  }

  /** For the streams. */
  async rolledBack(channel: JournalChannel): Promise<void> {
    const { stream } = channel;
    this.#events.rolledBack({ origin: channel.origin });
    channel.stream = mintStreamId();
    channel.offset = channel.accepted;
    channel.checksums.restart(channel.accepted);
    channel.dirty = true;
    this.#sink?.close(stream);
    // A stream is offered only after its identity is on disk.
    for (await this.#loop.now(); channel.dirty && !this.#closing; await this.#loop.now())
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
    const channel = new JournalChannel(number, row, {
      ...{ flushedEnd, share, nowMs: clock.monotonicMs(), buffers: this.#buffers },
    });
    this.#channels.set(number, channel);
    this.#nextChannel = Math.max(this.#nextChannel, number + 1);
    return channel;
  }

  #append(channel: JournalChannel, record: PendingRecord): Position | 'full' {
    const length = sizeOf(record);
    if (length === 0) return channel.appendedEnd;
    if (this.#closing || channel.closed || !this.#hasRoom(channel, length)) return 'full';
    this.#losses.report(channel);
    channel.pending.add(record, this.#now);
    this.#count(channel, length);
    return channel.appendedEnd;
  }

  #appendRun(channel: JournalChannel, run: AppendedRun, label: RecordLabel): Position | 'full' {
    const records = run.sizes.length;
    if (records === 0) return channel.appendedEnd;
    const { length } = run.data;
    const needed = length + (records - 1) * RECORD_OVERHEAD_BYTES;
    if (this.#closing || channel.closed || !this.#hasRoom(channel, needed)) return 'full';
    this.#losses.report(channel);
    channel.pending.addRun(run, label, this.#now);
    this.#count(channel, length, records);
    return channel.appendedEnd;
  }

  async #whenRoom(channel: JournalChannel, bytes: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#closing || channel.closed || signal?.aborted) return false;
    if (this.#hasRoom(channel, bytes)) return true;
    this.#loop.after(CHECK_ROOM_AFTER_MS);
    return this.#waiters.wait(channel, bytes, signal);
  }

  #releaseWaiters(channel: JournalChannel): void {
    this.#waiters.release(channel, (bytes) => this.#hasRoom(channel, bytes));
  }

  #hasRoom(channel: JournalChannel, bytes: number): boolean {
    return this.#room.admits(channel, bytes + RECORD_OVERHEAD_BYTES, this.#channels.size === 1);
  }

  #count(channel: JournalChannel, bytes: number, records = 1): void {
    const needed = bytes + records * RECORD_OVERHEAD_BYTES;
    channel.appendedEnd += bytes;
    channel.pendingBytes += needed;
    this.#room.pendingBytes += needed;
    this.#loop.after(this.#room.pendingBytes >= COMMIT_AT_ONCE_BYTES ? 0 : this.#commitAfterMs);
  }

  /** A failed step is retried later: senders must not keep a failing disk busy. */
  #flushSoon(): void {
    if (this.#failure === undefined) this.#loop.soon();
  }

  #drop(channel: JournalChannel, bytes: number, label: RecordLabel): void {
    this.#losses.drop(channel, bytes, label);
    this.#loop.after(KEEP_LOSS_AFTER_MS);
  }

  #close(channel: JournalChannel): void {
    if (channel.closed) return;
    channel.closed = true;
    channel.dirty = true;
    this.#waiters.end(channel);
    this.#loop.after(0);
  }

  readonly #now = (): bigint => this.#options.clock.nowUnixNano();

  async #step(): Promise<void> {
    await this.#freeSpace.check();
    this.#losses.keep(this.#channels.values(), this.#closing);
    try {
      await this.#commit.run({
        channels: () => [...this.#channels.values()],
        isRemoving: this.#isRemovalDue(),
        committed: (group) => {
          // Now: a run of groups must not exceed the limit of the journal.
          this.#room.diskBytes = this.#segments.bytes;
          this.#commitAfterMs = commitAfterMs(group);
          for (const each of group) this.#committed(each);
        },
      });
      await this.#segments.removeDead((segment, err) => this.#events.segmentRemovalFailed({ segment, err }));
    } catch (error) {
      this.#events.commitFailed({ err: error });
      this.#failure = (error as Error).message;
      this.#loop.after(RETRY_AFTER_MS);
      return;
    }
    this.#failure = undefined;
    this.#room.diskBytes = this.#segments.bytes;
    this.#events.size({ sizeBytes: this.#segments.bytes });
    this.#reportLosses();
    for (const channel of this.#waiters.channels) this.#releaseWaiters(channel);
    this.#forgetFinished();
    this.#stepAgain();
  }

  /** Removes at intervals: a removal costs an index look-up for each stream, and nothing waits for it. */
  #isRemovalDue(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#removedMs < REMOVE_AFTER_MS && !this.#room.full && !this.#closing) return false;
    this.#removedMs = nowMs;
    return true;
  }

  #committed({ channel, records, bytes }: CommittedRecords): void {
    this.#events.committed({ records, bytes });
    collectGarbageAfter(bytes);
    letHeapGrow(bytes);
    channel.sizeHistory.record(channel.flushedEnd, this.#options.clock.monotonicMs());
    const released = bytes + records * RECORD_OVERHEAD_BYTES;
    channel.pendingBytes -= released;
    this.#room.pendingBytes -= released;
    if (channel.unopened && records > 0) {
      channel.unopened = false;
      this.#sink?.open(new JournalStream(channel, this));
    }
    if (records > 0) channel.onFlushed?.(channel.flushedEnd);
    // There are more records, or the stream has ended.
    if (records > 0 || channel.closed) this.#wakes.add(channel, bytes);
  }

  /** Idle streams report their loss as soon as there is room, not with their next record. */
  #reportLosses(): void {
    if (this.#closing) return;
    for (const channel of this.#channels.values())
      if (channel.loss !== undefined && !channel.reporting && this.#hasRoom(channel, 0))
        this.#losses.report(channel);
  }

  #forgetFinished(): void {
    for (const channel of this.#channels.values())
      if (channel.finished && !channel.dirty && !channel.isRowOutdated) this.#channels.delete(channel.number);
  }

  /** Continues what one step could not finish, and polls for free disk space. */
  #stepAgain(): void {
    const channels = [...this.#channels.values()];
    if (channels.some(({ dirty }) => dirty)) this.#loop.after(0);
    else if (channels.some(({ isRowOutdated }) => isRowOutdated))
      this.#loop.after(this.#room.full ? 0 : REMOVE_AFTER_MS);
    if (channels.some(({ loss }) => loss !== undefined)) this.#loop.after(KEEP_LOSS_AFTER_MS);
    if (!this.#waiters.isEmpty) this.#loop.after(CHECK_ROOM_AFTER_MS);
  }

  #pauseToRetry(deadline: AbortSignal): Promise<boolean> {
    return this.#options.clock.sleep(RETRY_AFTER_MS, deadline).then(
      () => true,
      () => false,
    );
  }
}

const COMMIT_AFTER_MS = 10;
/** Each stream has a fixed cost in a commit: with many streams, a commit waits longer for more records. */
const MANY_STREAMS = 40;
const COMMIT_MANY_AFTER_MS = 50;
const COMMIT_AT_ONCE_BYTES = 1024 * 1024;
const REMOVE_AFTER_MS = 200;
/** The disk gets free space without an event. */
const CHECK_ROOM_AFTER_MS = 1000;
const RETRY_AFTER_MS = 1000;
const LARGEST_SEGMENT_BYTES = 64 * 1024 * 1024;
const SEGMENTS_PER_JOURNAL = 16;

/** Received records and their buffers are garbage after the commit. */
const collectGarbageAfter = minorGcEvery(2 * 1024 * 1024);
/** Of all journals. */
const letHeapGrow = letHeapGrowAfter(16 * 1024 * 1024);

interface JournalFiles {
  readonly log: SegmentLog;
  readonly index: JournalIndex;
  readonly segments: JournalSegments;
}

/** Delay before the next commit, in which more records can join it. */
function commitAfterMs(committed: readonly CommittedRecords[]): number {
  const streams = committed.filter(({ records }) => records > 0).length;
  return streams > MANY_STREAMS ? COMMIT_MANY_AFTER_MS : COMMIT_AFTER_MS;
}

function openEvents({ name, unlabelledPrefix, logger, metrics }: JournalOptions): JournalEvents {
  return JOURNAL_EVENTS.open({
    ...{ logger: logger.child({ journal: name }), metrics, labels: { source: name } },
    unlabelledPrefix: unlabelledPrefix && `${unlabelledPrefix}_`,
  });
}

function openSegmentLog(directory: string, segmentBytes: number): Promise<SegmentLog> {
  return SegmentLog.open({ directory, segmentBytes });
}
