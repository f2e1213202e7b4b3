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

/** Makes pending records durable, together with the acceptances and losses since the last commit. */
export class JournalCommit {
  readonly #parts: JournalParts;
  /** Location of the last committed entry. */
  #last: SegmentLocation | undefined;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#last = parts.index.last;
  }

  /**
   * Resolves when all records that were pending at the call are flushed and, with `removing`, accepted
   * entries are removed. If it rejects, disk, index and channels are unchanged.
   */
  async run(channels: readonly JournalChannel[], removing: boolean): Promise<CommittedRecords[]> {
    const taken = channels
      .map((channel) => ({ channel, isRemoving: removing && channel.isRowOutdated }))
      .filter(({ channel: { dirty, pending }, isRemoving }) => dirty || isRemoving || !pending.isEmpty)
      .map(({ channel, isRemoving }) => ({
        channel,
        runs: channel.pending.take(),
        isRemoving,
        isRowChanged: channel.dirty || isRemoving || channel.unopened,
      }));
    if (taken.length === 0) return [];
    for (const { channel } of taken) channel.dirty = false;
    try {
      const written = await this.#write(taken);
      const changes = await Promise.all(written.map((each) => this.#change(each)));
      await this.#commit(changes);
      return changes.map((change) => this.#recordCommit(change));
    } catch (error) {
      for (const { channel, runs } of taken) {
        channel.pending.putBack(runs);
        channel.dirty = true;
      }
      await this.#parts.log.truncateTo(this.#last);
      throw error;
    }
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

function entriesOf(channel: JournalChannel, runs: readonly RecordRun[]): NewEntry[] {
  let start = channel.flushedEnd;
  return runs.map((run) => {
    const batch: RecordBatch = { ...run, ...run.label, stream: channel.stream, start, marks: NO_MARKS };
    const head = encodeRecordBatchHead(batch, { compression: 'none', bytes: run.data });
    const entry = { start, end: start + run.data.length, batch, payload: [head, run.data] };
    start = entry.end;
    return entry;
  });
}

function laterOf(last: SegmentLocation | undefined, { location }: IndexedEntry): SegmentLocation {
  const later =
    last === undefined ||
    location.segment > last.segment ||
    (location.segment === last.segment && location.offset > last.offset);
  return later ? location : last;
}
