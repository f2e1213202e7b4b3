import { join } from 'node:path';
import type { Amount } from '../../records/amount.ts';
import type { Position } from '../../records/position.ts';
import { mintStreamId } from '../../records/stream-id.ts';
import { letHeapGrowAfter, minorGcEvery } from '../../runtime/buffer-collection.ts';
import { SegmentLog } from '../../storage/segments/segment-log.ts';
import { FreeSpace } from '../../storage/state/free-space.ts';
import type { StreamSink } from '../source.ts';
import type { StreamStatus } from '../stream-status.ts';
import { channelStatus } from './channel-status.ts';
import { CommitLoop } from './commit-loop.ts';
import { Drains } from './drains.ts';
import { JOURNAL_EVENTS, type JournalEvents } from './events.ts';
import { type RunMemory, runMemory } from './growing-run.ts';
import { type ChannelBeginning, JournalChannel, newChannelRow } from './journal-channel.ts';
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
import { type RecoveredEntry, recoverEntries } from './recover-entries.ts';
import { RoomWaiters } from './room-waiters.ts';
import { StreamWakes } from './stream-wakes.ts';

/**
 * A collector's durable buffer for records that cannot be read again: records from sockets are written to
 * disk before they are published, and stay there until the aggregator has accepted them.
 *
 *     append -> pending (memory) --> segment, fdatasync --> one transaction in the state store --> published
 *                                       |                                                            |
 *                                    answered                                                        |
 *                       segments without live entries are removed <-- entries are removed <-- accepted
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
 * Format: a segment entry is a RecordBatch message (the one of the wire) with up to 960 KiB of records of one
 * stream and one label, less in a small journal. The state store has the location of each entry (`JournalIndex`), the stream, the
 * accepted end and the 64 bytes before it for each channel, and the location of the last entry.
 *
 * Steps: one write at a time, and one transaction at a time, side by side (`JournalCommit`). A write stores all pending
 * records as one group and flushes it. It begins 10 ms after the first record (group commit), 50 ms with more than 40 active
 * streams, or at once when 4 MiB are pending or a source requests it. A transaction commits all groups that are
 * written, together with acceptances and losses. It begins after a write, at most every 10 ms unless 256 KiB are waiting or an
 * answer waits for it. Accepted entries are removed every 200 ms.
 *
 * Publishing: the publisher learns of the first commit at once, and of those that follow it at most every 10 ms
 * (`StreamWakes`), so that small commits become one batch.
 *
 * Answers: `append` returns a position, and `onFlushed` reports it when each later process will find the records before
 * it: after the flush of their group, or after the transaction if they cannot be recovered without it.
 *
 * Failures: no accepted record is discarded. A failed write leaves the disk unchanged and returns the records to the
 * pending ones. The groups of a failed transaction remain on disk and belong to the next one. Both are retried after a
 * second. Damaged entries are skipped and counted, and the stream has a gap.
 *
 * Recovery: the index is authoritative up to its last entry. The entries after it that belong to the journal
 * (`recoverEntries`) are flushed and put into the index before anything else happens; the other bytes are truncated. None
 * of them were published. The entries of version 0.1.0 have no links, so only its index counts. A build without
 * `recoverEntries` can read the state after an orderly stop, which leaves nothing to recover; after a crash it truncates
 * the entries.
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
  readonly #memory: RunMemory;
  readonly #segments: JournalSegments;
  readonly #commit: JournalCommit;
  readonly #room: JournalRoom;
  readonly #loop: CommitLoop;
  readonly #indexLoop: CommitLoop;
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
  #indexedMs = Number.NEGATIVE_INFINITY;
  #writeFailure: string | undefined;
  #indexFailure: string | undefined;

  /** Opens the journal and restores the state of its last commit. */
  static async open(options: JournalOptions): Promise<Journal> {
    const directory = join(options.directory, 'journal', options.name);
    const segmentBytes = Math.min(LARGEST_SEGMENT_BYTES, Math.ceil(options.maxBytes / SEGMENTS_PER_JOURNAL));
    const { openLog = openSegmentLog } = options;
    const log = await openLog(directory, segmentBytes);
    const index = new JournalIndex(options.state, options.name);
    const recovered = await recoverEntries(log, index);
    await log.truncateTo(recovered.at(-1)?.place.location ?? index.last);
    // The earlier process may have ended after the write of an entry, and before its flush.
    if (recovered.length > 0) await log.flushFrom(index.last?.segment ?? 0);
    await indexRecovered(recovered, index, options);
    const segments = new JournalSegments(log, segmentBytes);
    for (const place of index.entries()) segments.hold(place.location);
    const journal = new Journal(options, { log, index, segments, segmentBytes });
    if (recovered.length > 0) journal.#events.recovered(amountOf(recovered));
    return journal;
  }

  private constructor(options: JournalOptions, { log, index, segments, segmentBytes }: JournalFiles) {
    const { clock, maxBytes, state, lossRecord } = options;
    this.#options = options;
    this.#events = openEvents(options);
    this.#freeSpace = options.freeSpace ?? new FreeSpace({ directory: log.directory, clock });
    this.#log = log;
    this.#segments = segments;
    this.#memory = runMemory(segmentBytes, clock);
    const { buffers } = this.#memory;
    this.reader = new JournalReader({ index, log, events: this.#events, buffers });
    this.#commit = new JournalCommit({ log, index, segments, state, reader: this.reader });
    this.#room = new JournalRoom({ maxBytes, freeSpace: this.#freeSpace, events: this.#events });
    this.#room.diskBytes = log.bytes;
    this.#losses = new JournalLosses({
      ...{ clock, events: this.#events, lossRecord },
      appended: (channel, bytes) => this.#count(channel, bytes),
    });
    this.#loop = new CommitLoop(clock, () => this.#write());
    this.#indexLoop = new CommitLoop(clock, () => this.#index());
    this.#wakes = new StreamWakes(clock, ({ stream }) => this.#sink?.wake(stream));
    for (const { number, row } of index.channels())
      this.#addChannel(number, row, { indexedEnd: index.lastEntry(number)?.end ?? 0, isStored: true });
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

  /** Why the last write or the last transaction failed; undefined when both succeeded. It is retried after a second. */
  get failure(): string | undefined {
    return this.#writeFailure ?? this.#indexFailure;
  }

  /** The status of each stream, without pending records. */
  status(): readonly StreamStatus[] {
    const nowMs = this.#options.clock.monotonicMs();
    return Array.from(this.#channels.values(), (channel) => channelStatus(channel, nowMs));
  }

  /** Returns the writer of an origin and continues its stream. One writer for each origin at a time. */
  writer(origin: string, options: WriterOptions = {}): JournalWriter {
    const { onFlushed, onStoring, onStored, isStoringRedone = false, order = 'arrival' } = options;
    const channel = this.#openChannel(origin) ?? this.#newChannel(origin);
    channel.onFlushed = onFlushed;
    channel.onStoring = onStoring;
    channel.onStored = onStored;
    channel.recoversEntries = onStoring === undefined || isStoringRedone;
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
    await this.#commitNow();
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
    await this.#indexLoop.stop();
    do await this.#commitNow();
    while (this.#room.pendingBytes > 0 && !deadline.aborted && (await this.#pauseToRetry(deadline)));
    this.#wakes.stop();
    await this.#log.close();
  }

  /** For the streams. */
  accepted(channel: JournalChannel): void {
    this.#indexLoop.after(this.#room.full ? 0 : REMOVE_AFTER_MS);
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
    for (await this.#commitNow(); !channel.isIndexed && !this.#closing; await this.#commitNow())
      await this.#options.clock.sleep(RETRY_AFTER_MS);
    this.#sink?.open(new JournalStream(channel, this));
  }

  #openChannel(origin: string): JournalChannel | undefined {
    return [...this.#channels.values()].find((channel) => channel.origin === origin && !channel.closed);
  }

  #newChannel(origin: string): JournalChannel {
    const row = newChannelRow(origin, mintStreamId());
    const channel = this.#addChannel(this.#nextChannel, row, { indexedEnd: 0, isStored: false });
    channel.unopened = true;
    return channel;
  }

  #addChannel(
    number: number,
    row: ChannelRow,
    stored: Pick<ChannelBeginning, 'indexedEnd' | 'isStored'>,
  ): JournalChannel {
    const { clock, maxBytes } = this.#options;
    const share = JournalRoom.share(maxBytes);
    const channel = new JournalChannel(number, row, {
      ...{ ...stored, share, nowMs: clock.monotonicMs(), memory: this.#memory },
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
    if (this.failure === undefined) this.#loop.soon();
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

  /** Everything that is pending now is written and in the index, unless that fails. */
  async #commitNow(): Promise<void> {
    await this.#loop.now();
    await this.#indexLoop.now();
    // Removes the segments of removed entries.
    await this.#loop.now();
  }

  async #write(): Promise<void> {
    await this.#freeSpace.check();
    this.#losses.keep(this.#channels.values(), this.#closing);
    try {
      await this.#commit.write([...this.#channels.values()]);
      this.#answer();
      await this.#segments.removeDead((segment, err) => this.#events.segmentRemovalFailed({ segment, err }));
    } catch (error) {
      this.#writeFailure = this.#failed(error as Error);
      this.#loop.after(RETRY_AFTER_MS);
      return;
    }
    this.#writeFailure = undefined;
    this.#room.diskBytes = this.#segments.bytes;
    this.#events.size({ sizeBytes: this.#segments.bytes });
    this.#reportLosses();
    for (const channel of this.#waiters.channels) this.#releaseWaiters(channel);
    this.#stepAgain();
    this.#requestIndex();
  }

  /** A transaction follows at once, or after some more groups: peers that need small groups do not wait for it. */
  #requestIndex(): void {
    if (!this.#commit.isIndexDue || this.#indexFailure !== undefined) return;
    const isUrgent = this.#commit.isIndexUrgent || this.#commit.unindexedBytes >= INDEX_FROM_BYTES;
    const dueInMs = this.#indexedMs + INDEX_EVERY_MS - this.#options.clock.monotonicMs();
    if (isUrgent || dueInMs <= 0) this.#indexLoop.soon();
    else this.#indexLoop.after(Math.ceil(dueInMs));
  }

  async #index(): Promise<void> {
    this.#indexedMs = this.#options.clock.monotonicMs();
    const removed = this.#isRemovalDue()
      ? [...this.#channels.values()].filter(({ isRowOutdated }) => isRowOutdated)
      : [];
    try {
      const committed = await this.#commit.index(removed);
      this.#commitAfterMs = commitAfterMs(committed);
      for (const each of committed) this.#committed(each);
    } catch (error) {
      this.#indexFailure = this.#failed(error as Error);
      this.#indexLoop.after(RETRY_AFTER_MS);
      return;
    }
    this.#indexFailure = undefined;
    this.#answer();
    this.#forgetFinished();
    this.#stepAgain();
    this.#requestIndex();
    if (removed.length > 0) this.#loop.after(0);
  }

  /** Each later process finds these records. */
  #answer(): void {
    for (const [channel, end] of this.#commit.answerable()) this.#answerUntil(channel, end);
  }

  #answerUntil(channel: JournalChannel, end: Position): void {
    if (end <= channel.answeredEnd) return;
    channel.answeredEnd = end;
    channel.onFlushed?.(end);
  }

  #failed(err: Error): string {
    this.#events.commitFailed({ err });
    return err.message;
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
    channel.sizeHistory.record(channel.indexedEnd, this.#options.clock.monotonicMs());
    const released = bytes + records * RECORD_OVERHEAD_BYTES;
    channel.pendingBytes -= released;
    this.#room.pendingBytes -= released;
    if (channel.unopened && records > 0) {
      channel.unopened = false;
      this.#sink?.open(new JournalStream(channel, this));
    }
    if (records > 0) {
      channel.onStored?.();
      this.#answerUntil(channel, channel.indexedEnd);
    }
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
      if (channel.finished && channel.isIndexed && !channel.isRowOutdated)
        this.#channels.delete(channel.number);
  }

  /** Continues what one step could not finish, and polls for free disk space. */
  #stepAgain(): void {
    const channels = [...this.#channels.values()];
    if (channels.some(({ dirty }) => dirty)) this.#loop.after(0);
    else if (channels.some(({ isRowOutdated }) => isRowOutdated))
      this.#indexLoop.after(this.#room.full ? 0 : REMOVE_AFTER_MS);
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
/** The publisher is woken at most this often. */
const INDEX_EVERY_MS = 10;
/** More records may not be in memory any more when they are published. */
const INDEX_FROM_BYTES = 256 * 1024;
/** Each stream has a fixed cost in a commit: with many streams, a commit waits longer for more records. */
const MANY_STREAMS = 40;
const COMMIT_MANY_AFTER_MS = 50;
const COMMIT_AT_ONCE_BYTES = 4 * 1024 * 1024;
const REMOVE_AFTER_MS = 200;
/** The disk gets free space without an event. */
const CHECK_ROOM_AFTER_MS = 1000;
const RETRY_AFTER_MS = 1000;
const LARGEST_SEGMENT_BYTES = 64 * 1024 * 1024;
const SEGMENTS_PER_JOURNAL = 16;

/** A commit makes some garbage; most buffers are used again. */
const collectGarbageAfter = minorGcEvery(32 * 1024 * 1024);
/** Of all journals. */
const letHeapGrow = letHeapGrowAfter(16 * 1024 * 1024);

interface JournalFiles {
  readonly log: SegmentLog;
  readonly index: JournalIndex;
  readonly segments: JournalSegments;
  readonly segmentBytes: number;
}

/** Makes the index authoritative again. */
async function indexRecovered(
  recovered: readonly RecoveredEntry[],
  index: JournalIndex,
  { state, onRecovered }: JournalOptions,
): Promise<void> {
  const last = recovered.at(-1);
  if (last === undefined) return;
  const origins = new Map(index.channels().map(({ number, row }) => [number, row.origin]));
  const store = onRecovered?.(
    recovered.map(({ place, batch }) => ({ origin: origins.get(place.channel) ?? '', entry: batch })),
  );
  await state.write(() => {
    for (const { place } of recovered) index.putEntry(place);
    store?.();
    index.putLast(last.place.location, last.id);
  });
}

function amountOf(recovered: readonly RecoveredEntry[]): Amount {
  let records = 0;
  let bytes = 0;
  for (const { batch } of recovered) {
    records += batch.sizes.length;
    bytes += batch.data.length;
  }
  return { records, bytes };
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
