import { CHECK_WINDOW_BYTES } from '../../records/check.ts';
import { NO_MARKS, type RecordBatch } from '../../records/record-batch.ts';
import { emptyChecksum } from '../../records/running-checksum.ts';
import { encodeRecordBatchHead } from '../../records/wire.ts';
import type { SegmentLocation } from '../../storage/segments/segment-format.ts';
import type { SegmentLog } from '../../storage/segments/segment-log.ts';
import type { StateStore } from '../../storage/state/state-store.ts';
import type { JournalChannel } from './journal-channel.ts';
import type { IndexedEntry, JournalIndex } from './journal-index.ts';
import type { JournalReader, KnownTail } from './journal-reader.ts';
import type { JournalSegments } from './journal-segments.ts';
import { type Loss, withoutLoss } from './loss.ts';
import type { RecordRun } from './record-run.ts';

/**
 * Makes pending records durable, together with the acceptances and losses since the last commit.
 *
 * Records are committed in groups. While the transaction of a group runs, the next group is written and flushed:
 *
 *     group 1    [ writev, fdatasync ][ transaction ]
 *     group 2                         [ writev, fdatasync ][ transaction ]
 *     group 3                                              [ writev, fdatasync ][ transaction ]
 *
 *   - Transactions run one after another, each after the fdatasync of the bytes that it names. The channels change after
 *     the transaction is on disk.
 *   - A group follows during a transaction only if enough records wait for it: each group costs two flushes.
 *   - Only the first group removes accepted entries.
 *   - After a failure, no group is on disk that is later than the failed one: the records of both are pending again, in
 *     their order.
 */
export class JournalCommit {
  readonly #parts: JournalParts;
  /** Location of the last committed entry. */
  #last: SegmentLocation | undefined;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#last = parts.index.last;
  }

  /**
   * Resolves when all records that were pending at the call are committed and, with `isRemoving`, accepted entries are
   * removed. If it rejects, the records, acceptances and losses that were not reported to `committed` are pending again.
   */
  async run({ channels, isRemoving, committed }: CommitRun): Promise<void> {
    let previous: readonly Taken[] = [];
    let committing: Promise<Failure | undefined> = Promise.resolve(undefined);
    for (let count = 0; count < GROUPS_OF_A_RUN; count++) {
      if (count > 0 && waitingBytes(channels()) < OVERLAP_FROM_BYTES) break;
      const group = take(channels(), isRemoving && count === 0);
      if (group.length === 0) break;
      const written = await this.#tryToWrite(group);
      const failure = await committing;
      if (failure !== undefined) {
        putBack(group);
        await this.#revert(previous, 'error' in written);
        throw failure.error;
      }
      if ('error' in written) {
        putBack(group);
        throw written.error;
      }
      previous = group;
      committing = this.#tryToCommit(written.entries, committed);
    }
    const failure = await committing;
    if (failure === undefined) return;
    await this.#revert(previous, false);
    throw failure.error;
  }

  /** The log is unchanged after a failure. */
  async #tryToWrite(group: readonly Taken[]): Promise<{ readonly entries: readonly Written[] } | Failure> {
    try {
      return { entries: await this.#write(group) };
    } catch (error) {
      return { error };
    }
  }

  async #tryToCommit(
    written: readonly Written[],
    committed: CommitRun['committed'],
  ): Promise<Failure | undefined> {
    let changes: readonly ChannelChange[];
    try {
      changes = await Promise.all(written.map((each) => this.#change(each)));
      await this.#commit(changes);
    } catch (error) {
      return { error };
    }
    committed(changes.map((change) => this.#recordCommit(change)));
    return undefined;
  }

  /** `isSealed`: an fdatasync may have failed, so the segment must not be written again. */
  async #revert(group: readonly Taken[], isSealed: boolean): Promise<void> {
    const { log } = this.#parts;
    putBack(group);
    await log.truncateTo(this.#last);
    if (isSealed) await log.seal();
  }

  async #write(taken: readonly Taken[]): Promise<Written[]> {
    const { log } = this.#parts;
    const entries = taken.map(({ channel, runs }) => entriesOf(channel, runs));
    const payloads = entries.flat().map(({ payload }) => payload);
    const locations = payloads.length === 0 ? [] : await log.append(payloads);
    if (payloads.length > 0) await log.flush();
    let next = 0;
    return taken.map((each, index) => {
      const own = entries[index] ?? [];
      const places = own.map(({ start, end }) => ({
        channel: each.channel.number,
        start,
        end,
        location: locations[next++] as SegmentLocation,
      }));
      return { ...each, places, batches: own.map(({ batch }) => batch) };
    });
  }

  async #change(written: Written): Promise<ChannelChange> {
    const { channel, runs, isRemoving } = written;
    const { index, reader } = this.#parts;
    const reported = runs.find(({ lossReport }) => lossReport !== undefined)?.lossReport;
    const [tail] = channel.tails as [KnownTail];
    if (!isRemoving) return { ...written, removed: [], tail, reported };
    const removed = index.entriesUntil(channel.number, channel.accepted, REMOVED_AT_ONCE);
    const full = removed.length === REMOVED_AT_ONCE;
    const end = full ? (removed.at(-1)?.end ?? tail.end) : channel.accepted;
    await this.#rebase(channel, end);
    // A damaged entry has no check to compare.
    const bytes =
      (await reader.bytesBefore(channel, end, Math.max(0, end - CHECK_WINDOW_BYTES))) ?? Buffer.alloc(0);
    return { ...written, removed, tail: { end, bytes }, reported };
  }

  /** Keeps a checksum at or after the end of the removed entries: later ones are computed from it. */
  async #rebase(channel: JournalChannel, end: number): Promise<void> {
    const { base } = channel.checksums;
    if (base.at >= end) return;
    const { offset, number } = channel;
    const value =
      channel.checksums.at(end) ??
      (await this.#parts.reader.checksumAt(number, base, end)) ??
      emptyChecksum(end - offset);
    // The channel may have continued as a new stream in the meantime.
    if (channel.offset === offset) channel.checksums.rebase({ at: end, value });
  }

  async #commit(changes: readonly ChannelChange[]): Promise<void> {
    const { index, state } = this.#parts;
    const last = changes.flatMap(({ places }) => places).reduce(laterOf, this.#last);
    for (const { channel, tail } of changes) channel.tails = [...channel.tails, tail];
    try {
      await state.write(() => {
        for (const change of changes) this.#put(change);
        if (last !== undefined) index.putLast(last);
      });
      this.#last = last;
    } catch (error) {
      for (const { channel } of changes) channel.tails = channel.tails.slice(0, 1);
      throw error;
    }
  }

  #put({ channel, places, removed, tail, reported, isRowChanged }: ChannelChange): void {
    const { index } = this.#parts;
    for (const place of places) index.putEntry(place);
    for (const place of removed) index.removeEntry(place);
    const last = places.at(-1);
    if (last !== undefined) channel.onStoring?.(last.end);
    const loss = reported === undefined ? channel.loss : withoutLoss(channel.loss, reported);
    const over = channel.finished && tail.end === channel.flushedEnd && places.length === 0;
    if (over) index.removeChannel(channel.number);
    else if (isRowChanged || reported !== undefined)
      index.putChannel(channel.number, channel.row(tail, loss));
  }

  /** Updates the channel to the committed state. */
  #recordCommit(change: ChannelChange): CommittedRecords {
    const { channel, runs, places, batches, removed, tail, reported } = change;
    const { segments, reader } = this.#parts;
    for (const [index, place] of places.entries()) {
      segments.hold(place.location);
      const batch = batches[index];
      if (batch !== undefined) reader.remember(place, batch);
    }
    for (const place of removed) {
      segments.release(place.location);
      reader.forget(place);
    }
    channel.flushedEnd = places.at(-1)?.end ?? channel.flushedEnd;
    channel.tails = [tail];
    if (reported !== undefined) {
      channel.loss = withoutLoss(channel.loss, reported);
      channel.reporting = false;
    }
    let records = 0;
    let bytes = 0;
    for (const { sizes, data } of runs) {
      records += sizes.length;
      bytes += data.length;
    }
    return { channel, records, bytes };
  }
}

/** Entries removed from the index in one transaction. */
const REMOVED_AT_ONCE = 10_000;
/** Then segments are removed, which must not happen during a write. */
const GROUPS_OF_A_RUN = 16;
/** A smaller group waits for the transaction, and becomes larger. */
const OVERLAP_FROM_BYTES = 64 * 1024;

export interface CommitRun {
  readonly channels: () => readonly JournalChannel[];
  readonly isRemoving: boolean;
  /** A group is on disk. Must not throw. */
  readonly committed: (records: readonly CommittedRecords[]) => void;
}

interface Failure {
  readonly error: unknown;
}

/** The result of a step for one channel. */
export interface CommittedRecords {
  readonly channel: JournalChannel;
  readonly records: number;
  readonly bytes: number;
}

interface JournalParts {
  readonly log: SegmentLog;
  readonly index: JournalIndex;
  readonly segments: JournalSegments;
  readonly state: StateStore;
  readonly reader: JournalReader;
}

/** One channel's part of a commit: pending records and the state after the commit. */
interface ChannelChange extends Written {
  readonly removed: readonly IndexedEntry[];
  readonly tail: KnownTail;
  readonly reported: Loss | undefined;
}

/** `isRemoving`: accepted entries are removed. `isRowChanged`: the stored row is outdated. */
interface Taken {
  readonly channel: JournalChannel;
  readonly runs: readonly RecordRun[];
  readonly isRemoving: boolean;
  readonly isRowChanged: boolean;
}

interface Written extends Taken {
  readonly places: readonly IndexedEntry[];
  /** The entries at these places. */
  readonly batches: readonly RecordBatch[];
}

interface NewEntry {
  readonly start: number;
  readonly end: number;
  readonly batch: RecordBatch;
  readonly payload: readonly Uint8Array[];
}

function take(channels: readonly JournalChannel[], isRemoving: boolean): readonly Taken[] {
  const taken = channels
    .map((channel) => ({ channel, isRemoving: isRemoving && channel.isRowOutdated }))
    .filter((each) => each.channel.dirty || each.isRemoving || !each.channel.pending.isEmpty)
    .map((each) => ({
      ...each,
      runs: each.channel.pending.take(),
      isRowChanged: each.channel.dirty || each.isRemoving || each.channel.unopened,
    }));
  for (const { channel } of taken) channel.dirty = false;
  return taken;
}

function putBack(group: readonly Taken[]): void {
  for (const { channel, runs } of group) {
    channel.pending.putBack(runs);
    channel.writtenEnd = channel.flushedEnd;
    channel.dirty = true;
  }
}

/** The bytes that no group has taken. */
function waitingBytes(channels: readonly JournalChannel[]): number {
  return channels.reduce((sum, { appendedEnd, writtenEnd }) => sum + appendedEnd - writtenEnd, 0);
}

function entriesOf(channel: JournalChannel, runs: readonly RecordRun[]): NewEntry[] {
  let start = channel.writtenEnd;
  const entries = runs.map((run) => {
    const batch: RecordBatch = { ...run, ...run.label, stream: channel.stream, start, marks: NO_MARKS };
    const head = encodeRecordBatchHead(batch, { compression: 'none', bytes: run.data });
    const entry = { start, end: start + run.data.length, batch, payload: [head, run.data] };
    start = entry.end;
    return entry;
  });
  channel.writtenEnd = start;
  return entries;
}

function laterOf(last: SegmentLocation | undefined, { location }: IndexedEntry): SegmentLocation {
  const later =
    last === undefined ||
    location.segment > last.segment ||
    (location.segment === last.segment && location.offset > last.offset);
  return later ? location : last;
}
