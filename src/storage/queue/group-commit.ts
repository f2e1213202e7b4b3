import { plus } from '../../records/amount.ts';
import { lastEnd } from '../../records/ranges.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { SerialQueue } from '../../runtime/async/serial-queue.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SegmentLocation } from '../segments/segment-format.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import type { StateStore } from '../state/state-store.ts';
import type { WriteHealth } from '../state/write-health.ts';
import type { QueueEvents } from './events.ts';
import { GroupPlanner } from './group-plan.ts';
import { flattenRanges, ownerRow, type StreamLedger, type StreamProgress } from './ledger.ts';
import { type IncomingBatch, QueueError } from './queue-contract.ts';
import type { QueueIndex } from './queue-index.ts';
import type { QueueReader } from './queue-reader.ts';
import type { QueueSpace } from './queue-space.ts';
import { changeTotals, type EntryRow, NO_TOTALS, type QueueTables, type StreamRow } from './queue-tables.ts';
import type { RunningTime } from './running-time.ts';
import type { StreamCounts } from './stream-counts.ts';

/**
 * Adds batches to the queue in groups. Batches that arrive while a group is being stored form the next group, which is
 * written and flushed while the transaction of the previous group runs.
 *
 *     append --> waiting --> plan ------------> segment --------> one transaction ---------> resolve all
 *                            bytes outside      writev,           entries of the index,
 *                            the ledger         fdatasync         ranges, totals
 *
 *     group 1                [ segment ][ transaction ]
 *     group 2                           [   segment   ][ transaction ]
 *     group 3                                          [   segment   ][ transaction ]
 *
 *   - The plan compares each batch with the ledger, with the group whose transaction runs, and with the batches before it
 *     in its own group, so bytes are stored once even when both copies wait here. A repetition resolves with the group
 *     that holds its bytes, or with a later one.
 *   - Transactions run one after another, each after the fdatasync of the bytes that it names. Nothing in memory changes
 *     before the transaction is on disk; then all of it does.
 *   - Any failure rejects the whole group, and all batches after it, in a written group too: a stream's later records
 *     must not be stored before the earlier ones that failed. The segment log truncates its own bytes when writing
 *     fails; when a transaction fails, this class truncates those of its group and of the group after it. The collector
 *     may send rejected batches again at once.
 *   - A small group waits for the transaction and becomes larger: each group costs two flushes.
 *   - While the queue is stopped, batches wait; none is rejected for it.
 *   - After some groups, no group follows until the last one is committed: then the log has no entry without a row, and
 *     other changes at its end (trimming) have their turn.
 *
 * Limits: a group has up to 16 MiB as encoded, or one batch. Callers hold the batches that wait here, so the windows of
 * their calls bound them.
 */
export class GroupCommit {
  readonly #parts: GroupCommitParts;
  #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
  }

  append(incoming: IncomingBatch): Promise<void> {
    if (this.#closed) return Promise.reject(new QueueError('The queue is closed'));
    return new Promise((resolve, reject) => {
      const arrivedUnixNano = this.#parts.clock.nowUnixNano();
      this.#waiting.push({ incoming, arrivedUnixNano, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Completes the current group; waiting batches are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new QueueError('The queue is closed'));
    await this.#working;
  }

  async #work(): Promise<void> {
    const { space, logTurns } = this.#parts;
    // Batches that arrive in the same turn form one group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await space.room();
      await logTurns.run(() => this.#storeGroups());
    }
    this.#working = undefined;
  }

  /** Never rejects: each batch receives its result. */
  async #storeGroups(): Promise<void> {
    let previous: Group | undefined;
    let committing: Promise<Failure | undefined> = Promise.resolve(undefined);
    for (let count = 0; count < GROUPS_PER_TURN && this.#waiting.length > 0; count++) {
      if (count > 0 && !(await this.#mayOverlap())) break;
      const group = this.#plan(previous);
      const writeFailure = await this.#write(group);
      const commitFailure = await committing;
      if (commitFailure !== undefined) {
        await this.#truncate(writeFailure !== undefined);
        return this.#reject(commitFailure, [...(previous?.members ?? []), ...group.members]);
      }
      if (writeFailure !== undefined) return this.#reject(writeFailure, group.members);
      committing = this.#commit(group);
      previous = group;
    }
    const failure = await committing;
    if (failure === undefined) return;
    await this.#truncate(false);
    this.#reject(failure, previous?.members ?? []);
  }

  async #mayOverlap(): Promise<boolean> {
    const { space, overlapFromBytes } = this.#parts;
    const bytes = this.#waiting.reduce((sum, { incoming }) => sum + incoming.encoded.length, 0);
    return bytes >= overlapFromBytes && (await space.hasRoom());
  }

  #nextGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { incoming } of this.#waiting) {
      bytes += incoming.encoded.length;
      if (count > 0 && bytes > MAX_GROUP_BYTES) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  /** Plans the batches that wait. Rejects those that are invalid. */
  #plan(previous: Group | undefined): Group {
    const { ledger, streamCounts } = this.#parts;
    const plan = new GroupPlanner({
      rowOf: (stream) => ledger.row(stream),
      claimOf: (stream) => ledger.claimOf(stream),
      streamCounts,
      pending: previous?.isCommitted === false ? previous.plan : undefined,
    });
    const members = this.#nextGroup().filter((member) => tryToPlan(plan, member));
    return { plan, members, locations: [], isCommitted: false };
  }

  /** Resolves when the bytes are flushed, or with the cause why the log is as it was before. */
  async #write(group: Group): Promise<Failure | undefined> {
    const { log } = this.#parts;
    const { entries } = group.plan;
    if (entries.length === 0) return undefined;
    try {
      group.locations = await log.append(entries.map(({ payload }) => payload));
      await log.flush();
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  /** Resolves when the group is committed and its batches are accepted, or with the cause of the failure. */
  async #commit(group: Group): Promise<Failure | undefined> {
    const { events, health, onUnused } = this.#parts;
    const { plan, members } = group;
    try {
      if (plan.entries.length > 0) await this.#commitRows(group);
    } catch (error) {
      return { error };
    }
    group.isCommitted = true;
    const { kept, repeatedBytes, gaps } = plan;
    events.groupCommitted({ ...kept, repeatedBytes, gaps });
    if (kept.records > 0) health.succeeded('records');
    for (const { resolve, incoming } of members) {
      // Inflated records are in other memory than the message.
      if (incoming.batch.data.buffer !== incoming.encoded.buffer) onUnused(incoming.encoded);
      resolve();
    }
    return undefined;
  }

  /**
   * Removes the bytes of groups without a row. `isSealed`: an fdatasync may have failed, so the segment must not be
   * written again.
   */
  async #truncate(isSealed: boolean): Promise<void> {
    const { log, index, events } = this.#parts;
    try {
      await log.truncateTo(index.lastLocation);
      if (isSealed) await log.seal();
    } catch (err) {
      events.backgroundWriteFailed({ err, what: 'the truncation of records that were not stored' });
    }
  }

  #reject({ error }: Failure, members: readonly Waiting[]): void {
    const { events, health } = this.#parts;
    health.failed('records', error);
    events.groupFailed({ err: error, batches: members.length });
    const failure = new QueueError(`Cannot store the records: ${(error as Error).message}`, { cause: error });
    // Waiting batches were submitted before the failure was known: stored now, they would precede the
    // failed ones.
    for (const { reject } of [...members, ...this.#waiting.splice(0)]) reject(failure);
  }

  async #commitRows(group: Group): Promise<void> {
    const { plan, locations } = group;
    const { index, reader, ledger, onAdded } = this.#parts;
    const { totals, streams } = await this.#writeRows(group);
    const first = index.next;
    const last = locations.at(-1);
    if (last !== undefined) index.added(totals, last);
    for (const [stream, row] of streams) ledger.remember(stream, row);
    for (const [offset, { batch, ownsBytes }] of plan.entries.entries())
      reader.recent.add(first + offset, batch, ownsBytes);
    onAdded();
  }

  async #writeRows({ plan, locations, members: [oldest] }: Group) {
    const { store, tables, index, clock, streamCounts } = this.#parts;
    // The time in which the group waited and was flushed counts: an emitter must not wait for it again.
    const acceptedTimeUnixNano = String(oldest?.arrivedUnixNano ?? clock.nowUnixNano());
    const first = index.next;
    const lastEntry = first + locations.length - 1;
    const streams = new Map<StreamId, StreamRow>();
    let totals = NO_TOTALS;
    await store.write(() => {
      let before = index.accepted;
      for (const [offset, { batch }] of plan.entries.entries()) {
        const location = locations[offset] as SegmentLocation;
        const amount = { records: batch.sizes.length, bytes: batch.data.length };
        const { stream, start } = batch;
        const row: EntryRow = { ...location, stream, start, ...amount, before, acceptedTimeUnixNano };
        tables.entries.put(first + offset, row);
        before = plus(before, amount);
      }
      for (const [stream, progress] of plan.streams) {
        const row = this.#streamRow(stream, progress, lastEntry);
        streams.set(stream, row);
        tables.streams.put(stream, row);
      }
      for (const [collectorId, count] of plan.newStreams) streamCounts.add(collectorId, count);
      totals = changeTotals(tables, (row) => ({ ...row, accepted: before, nextEntry: lastEntry + 1 }));
    });
    return { totals, streams };
  }

  #streamRow(stream: StreamId, progress: StreamProgress, lastEntry: number): StreamRow {
    const { tables, runningTime } = this.#parts;
    // The current row, because its other columns may have changed in the meantime.
    const row = tables.streams.get(stream);
    return {
      ranges: flattenRanges(progress.ranges),
      endCheck: progress.endCheck,
      checksum: progress.checksum,
      instance: progress.instance === undefined ? (row?.instance ?? null) : String(progress.instance),
      records: progress.records,
      bytes: progress.bytes,
      owner: row?.owner ?? (progress.owner === undefined ? null : ownerRow(progress.owner)),
      isCounted: row === undefined ? progress.owner !== undefined : (row.isCounted ?? false),
      lastEntry,
      seenDay: runningTime.day,
      // Bytes after the reported end: it was not the end.
      final: row?.final != null && row.final.end >= lastEnd(progress.ranges) ? row.final : null,
    };
  }
}

const MAX_GROUP_BYTES = 16 * 1024 * 1024;
const GROUPS_PER_TURN = 16;

/** A group between its plan and its commit. */
interface Group {
  readonly plan: GroupPlanner;
  readonly members: readonly Waiting[];
  locations: readonly SegmentLocation[];
  isCommitted: boolean;
}

interface Failure {
  readonly error: unknown;
}

export interface GroupCommitParts {
  readonly store: StateStore;
  readonly tables: QueueTables;
  readonly log: SegmentLog;
  /** Serializes changes at the end of the log. */
  readonly logTurns: SerialQueue;
  readonly index: QueueIndex;
  readonly ledger: StreamLedger;
  readonly reader: QueueReader;
  readonly space: QueueSpace;
  /** From this size on, the next group is written during the transaction of the previous one. */
  readonly overlapFromBytes: number;
  readonly runningTime: RunningTime;
  readonly streamCounts: StreamCounts;
  readonly clock: Clock;
  readonly events: QueueEvents;
  readonly health: Pick<WriteHealth, 'failed' | 'succeeded'>;
  readonly onUnused: (bytes: Uint8Array) => void;
  /** Entries were added. */
  readonly onAdded: () => void;
}

interface Waiting {
  readonly incoming: IncomingBatch;
  readonly arrivedUnixNano: bigint;
  readonly resolve: () => void;
  readonly reject: (error: QueueError) => void;
}

/** An invalid batch is rejected alone. */
function tryToPlan(planner: GroupPlanner, { incoming, reject }: Waiting): boolean {
  try {
    planner.add(incoming);
    return true;
  } catch (error) {
    reject(error instanceof QueueError ? error : new QueueError((error as Error).message, { cause: error }));
    return false;
  }
}
