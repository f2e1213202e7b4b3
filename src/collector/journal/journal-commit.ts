import { randomInt } from 'node:crypto';
import { CHECK_WINDOW_BYTES } from '../../records/check.ts';
import type { Position } from '../../records/position.ts';
import { NO_MARKS, type RecordBatch } from '../../records/record-batch.ts';
import { emptyChecksum } from '../../records/running-checksum.ts';
import { encodeRecordBatchHead } from '../../records/wire.ts';
import type { SegmentLocation } from '../../storage/segments/segment-format.ts';
import type { SegmentLog } from '../../storage/segments/segment-log.ts';
import type { StateStore } from '../../storage/state/state-store.ts';
import { encodeEntryLink } from './entry-link.ts';
import type { JournalChannel } from './journal-channel.ts';
import type { IndexedEntry, JournalIndex } from './journal-index.ts';
import type { JournalReader, KnownTail } from './journal-reader.ts';
import type { JournalSegments } from './journal-segments.ts';
import { type Loss, withoutLoss } from './loss.ts';
import type { RecordRun } from './record-run.ts';

/**
 * Makes pending records durable in two steps, which can run at the same time.
 *
 *     write    [ group 1: writev, fdatasync ][ group 2 ][ group 3 ][ group 4 ] ...
 *                                            answers 1  answers 2  answers 3
 *     index                                  [ transaction: 1 ]    [ transaction: 2, 3 ] ...
 *                                                              published: 1       published: 2, 3
 *
 *   - `write` writes the pending records of all channels as one group, and flushes it. An entry is then found by each later
 *     process, also without the index (`recoverEntries`). So its peers can be answered before the transaction.
 *   - `index` commits all written groups in one transaction: the locations of their entries, acceptances, losses, and what
 *     sources store together with their records. The channels change after the transaction is on disk.
 *   - Some entries cannot be recovered without their transaction, because they are valid only together with it: those of a
 *     channel that is not in the index, the report of a loss, and those of a source that stores something with its records.
 *     They have no link, so a restart discards them and everything after them. Such a group, and each group after it, is
 *     answered after its transaction.
 *
 * The invariant: each answered entry is in the index, or all entries between the last one of the index and this one are
 * flushed and have links.
 *
 * Failures
 *
 *   - A group that cannot be written is removed from the log, and its records are pending again. The next attempt gives
 *     its entries new ids, so leftovers are not read as entries.
 *   - Written groups whose transaction fails remain in the log. The next transaction contains them.
 */
export class JournalCommit {
  readonly #parts: JournalParts;
  /** The last entry of the index. */
  #last: SegmentLocation | undefined;
  /** The id of the last entry of the log. */
  #lastId: number;
  #nextId = randomInt(1, 2 ** 47);
  /** Flushed, but not in the index. Oldest first. */
  #written: readonly Group[] = [];
  #unindexedBytes = 0;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#last = parts.index.last;
    this.#lastId = parts.index.lastId;
  }

  /** Groups wait for a transaction. */
  get isIndexDue(): boolean {
    return this.#written.length > 0;
  }

  /** The size of their records. */
  get unindexedBytes(): number {
    return this.#unindexedBytes;
  }

  /** A channel, or a peer, waits for the transaction. */
  get isIndexUrgent(): boolean {
    return this.#written.some(({ isRecoverable }) => !isRecoverable);
  }

  /**
   * Resolves when all records that were pending at the call are on disk. If it rejects, they are pending again, and the log
   * is unchanged.
   */
  async write(channels: readonly JournalChannel[]): Promise<void> {
    const { log, segments } = this.#parts;
    const taken = take(channels);
    if (taken.length === 0) return;
    const lastId = this.#lastId;
    const group = this.#groupOf(taken);
    const payloads = group.flatMap(({ entries }) => entries.map(({ payload }) => payload));
    let locations: readonly SegmentLocation[] = [];
    try {
      if (payloads.length > 0) {
        locations = await log.append(payloads);
        await log.flush();
      }
    } catch (error) {
      this.#lastId = lastId;
      putBack(taken);
      throw error;
    }
    for (const location of locations) segments.hold(location);
    this.#written = [...this.#written, locatedGroup(group, locations)];
    for (const { channel, runs } of taken) {
      channel.unindexedGroups++;
      for (const { data } of runs) this.#unindexedBytes += data.length;
    }
  }

  /** The channels with records that are recoverable now and were not answered, and the end of these records. */
  answerable(): readonly (readonly [JournalChannel, Position])[] {
    const ends = new Map<JournalChannel, Position>();
    for (const { isRecoverable, members } of this.#written) {
      if (!isRecoverable) break;
      for (const { channel, places } of members) {
        const last = places.at(-1);
        if (last !== undefined) ends.set(channel, last.end);
      }
    }
    return [...ends].filter(([channel, end]) => end > channel.answeredEnd);
  }

  /**
   * Commits everything that is written. `removed`: channels whose accepted entries are removed from the index. If it
   * rejects, nothing has changed.
   */
  async index(removed: readonly JournalChannel[]): Promise<readonly CommittedRecords[]> {
    const groups = this.#written;
    const written = merged(groups, removed);
    if (written.length === 0) return [];
    const changes = await Promise.all(written.map((each) => this.#change(each)));
    const ended = await this.#commit(changes, groups.findLast(({ lastId }) => lastId !== undefined)?.lastId);
    this.#written = this.#written.slice(groups.length);
    for (const { members } of groups) for (const { channel } of members) channel.unindexedGroups--;
    const committed = changes.map((change) => this.#recordCommit(change, ended.has(change.channel)));
    for (const { bytes } of committed) this.#unindexedBytes -= bytes;
    return committed;
  }

  #groupOf(taken: readonly Taken[]): readonly EncodedMember[] {
    return taken.map((each) => ({ ...each, entries: this.#entriesOf(each) }));
  }

  #entriesOf({ channel, runs }: Taken): readonly NewEntry[] {
    let start = channel.writtenEnd;
    const entries = runs.map((run): NewEntry => {
      const batch: RecordBatch = { ...run, ...run.label, stream: channel.stream, start, marks: NO_MARKS };
      const head = encodeRecordBatchHead(batch, { compression: 'none', bytes: run.data });
      const id = this.#nextId++;
      const isRecoverable = channel.isStored && channel.recoversEntries && run.lossReport === undefined;
      const link = encodeEntryLink({ channel: channel.number, id, previous: this.#lastId });
      const payload = isRecoverable ? [link, head, run.data] : [head, run.data];
      const entry = { start, end: start + run.data.length, batch, id, isRecoverable, payload };
      this.#lastId = id;
      start = entry.end;
      return entry;
    });
    channel.writtenEnd = start;
    return entries;
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

  /** Resolves with the channels whose rows are removed. */
  async #commit(
    changes: readonly ChannelChange[],
    lastId: number | undefined,
  ): Promise<ReadonlySet<JournalChannel>> {
    const { index, state } = this.#parts;
    const last = changes.flatMap(({ places }) => places).reduce(laterOf, this.#last);
    const ended = new Set<JournalChannel>();
    for (const { channel, tail } of changes) channel.tails = [...channel.tails, tail];
    try {
      await state.write(() => {
        for (const change of changes) if (this.#put(change)) ended.add(change.channel);
        if (last !== undefined && lastId !== undefined) index.putLast(last, lastId);
      });
      this.#last = last;
      return ended;
    } catch (error) {
      for (const { channel } of changes) channel.tails = channel.tails.slice(0, 1);
      throw error;
    }
  }

  /** Returns whether the channel has ended, and its row is removed. */
  #put({ channel, places, removed, tail, reported, isRowChanged }: ChannelChange): boolean {
    const { index } = this.#parts;
    for (const place of places) index.putEntry(place);
    for (const place of removed) index.removeEntry(place);
    const last = places.at(-1);
    if (last !== undefined) channel.onStoring?.(last.end);
    const loss = reported === undefined ? channel.loss : withoutLoss(channel.loss, reported);
    const isOver = channel.finished && tail.end === channel.indexedEnd && places.length === 0;
    if (isOver) index.removeChannel(channel.number);
    else if (isRowChanged || reported !== undefined)
      index.putChannel(channel.number, channel.row(tail, loss));
    return isOver;
  }

  /** Updates the channel to the committed state. */
  #recordCommit(change: ChannelChange, isEnded: boolean): CommittedRecords {
    const { channel, runs, places, batches, removed, tail, reported, isRowChanged } = change;
    const { segments, reader } = this.#parts;
    for (const [index, place] of places.entries()) {
      const batch = batches[index];
      if (batch !== undefined) reader.remember(place, batch);
    }
    for (const place of removed) {
      segments.release(place.location);
      reader.forget(place);
    }
    if (isRowChanged || reported !== undefined) channel.isStored = !isEnded;
    channel.indexedEnd = places.at(-1)?.end ?? channel.indexedEnd;
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

/** The result of a transaction for one channel. */
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

/** One channel's part of a transaction: its entries and the state after it. */
interface ChannelChange extends Written {
  readonly removed: readonly IndexedEntry[];
  readonly tail: KnownTail;
  readonly reported: Loss | undefined;
}

/** `isRowChanged`: the stored row is outdated. */
interface Taken {
  readonly channel: JournalChannel;
  readonly runs: readonly RecordRun[];
  readonly isRowChanged: boolean;
  /** The channel's `writtenEnd` before it. */
  readonly from: Position;
}

interface EncodedMember extends Taken {
  readonly entries: readonly NewEntry[];
}

/** `isRemoving`: accepted entries are removed. */
interface Written extends Omit<Taken, 'from'> {
  readonly isRemoving: boolean;
  readonly places: readonly IndexedEntry[];
  /** The entries at these places. */
  readonly batches: readonly RecordBatch[];
}

/** The records and row changes of one call of `write`. */
interface Group {
  readonly members: readonly Written[];
  readonly isRecoverable: boolean;
  /** The id of its last entry; undefined: it has no entry. */
  readonly lastId: number | undefined;
}

interface NewEntry {
  readonly start: number;
  readonly end: number;
  readonly batch: RecordBatch;
  readonly id: number;
  readonly isRecoverable: boolean;
  readonly payload: readonly Uint8Array[];
}

function take(channels: readonly JournalChannel[]): readonly Taken[] {
  const taken = channels
    .filter(({ dirty, pending }) => dirty || !pending.isEmpty)
    .map((channel) => ({
      channel,
      from: channel.writtenEnd,
      runs: channel.pending.take(),
      isRowChanged: channel.dirty || !channel.isStored,
    }));
  for (const { channel } of taken) channel.dirty = false;
  return taken;
}

function putBack(group: readonly Taken[]): void {
  for (const { channel, runs, from, isRowChanged } of group) {
    channel.pending.putBack(runs);
    channel.writtenEnd = from;
    channel.dirty ||= isRowChanged;
  }
}

function locatedGroup(group: readonly EncodedMember[], locations: readonly SegmentLocation[]): Group {
  let next = 0;
  const members = group.map(({ channel, runs, isRowChanged, entries }) => {
    const places = entries.map(({ start, end }) => ({
      ...{ channel: channel.number, start, end },
      location: locations[next++] as SegmentLocation,
    }));
    const batches = entries.map(({ batch }) => batch);
    return { channel, runs, isRowChanged, isRemoving: false, places, batches };
  });
  const entries = group.flatMap((each) => each.entries);
  return {
    members,
    isRecoverable: entries.every(({ isRecoverable }) => isRecoverable),
    lastId: entries.at(-1)?.id,
  };
}

/** One change for each channel. */
function merged(groups: readonly Group[], removed: readonly JournalChannel[]): readonly Written[] {
  const changes = new Map<JournalChannel, Written[]>();
  for (const { members } of groups)
    for (const member of members)
      changes.set(member.channel, [...(changes.get(member.channel) ?? []), member]);
  for (const channel of removed) changes.set(channel, changes.get(channel) ?? []);
  const removing = new Set(removed);
  return Array.from(changes, ([channel, members]) => ({
    channel,
    isRemoving: removing.has(channel),
    isRowChanged: removing.has(channel) || members.some(({ isRowChanged }) => isRowChanged),
    runs: members.flatMap(({ runs }) => runs),
    places: members.flatMap(({ places }) => places),
    batches: members.flatMap(({ batches }) => batches),
  }));
}

function laterOf(last: SegmentLocation | undefined, { location }: IndexedEntry): SegmentLocation {
  const later =
    last === undefined ||
    location.segment > last.segment ||
    (location.segment === last.segment && location.offset > last.offset);
  return later ? location : last;
}
