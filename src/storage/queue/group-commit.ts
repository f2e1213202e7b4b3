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
 * Adds batches to the queue, one group at a time. Batches that arrive while a group is being written form the next
 * group.
 *
 *     append --> waiting --> plan ------------> segment --------> one transaction ---------> resolve all
 *                            bytes outside      writev,           entries of the index,
 *                            the ledger         fdatasync         ranges, totals
 *
 *   - The plan compares each batch with the ledger and with the batches before it in the group, so bytes are stored
 *     once even when both copies wait here. A repetition resolves with the group that holds its bytes.
 *   - Nothing in memory changes before the transaction is on disk; then all of it does.
 *   - Any failure rejects the whole group, and all batches that wait after it: a stream's later records must not be
 *     stored before the earlier ones that failed. The segment log truncates its own bytes when writing fails; when the
 *     transaction fails, this class truncates them. The collector may send rejected batches again at once.
 *   - While the queue is stopped, batches wait; none is rejected for it.
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
      this.#waiting.push({ incoming, resolve, reject });
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
      const group = this.#nextGroup();
      if (group.length > 0) await logTurns.run(() => this.#commit(group));
    }
    this.#working = undefined;
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

  /** Never rejects: each member receives its result. */
  async #commit(group: readonly Waiting[]): Promise<void> {
    const { ledger, events, health } = this.#parts;
    const planner = new GroupPlanner({
      rowOf: (stream) => ledger.row(stream),
      claimOf: (stream) => ledger.claimOf(stream),
      streamCounts: this.#parts.streamCounts,
    });
    const planned: Waiting[] = [];
    try {
      for (const member of group) {
        if (tryToPlan(planner, member)) planned.push(member);
      }
      if (planner.entries.length > 0) await this.#keep(planner);
      const { kept, repeatedBytes, gaps } = planner;
      events.groupCommitted({ ...kept, repeatedBytes, gaps });
      if (kept.records > 0) health.succeeded('records');
      for (const { resolve } of planned) resolve();
    } catch (error) {
      health.failed('records', error);
      events.groupFailed({ err: error, batches: planned.length });
      const failure = new QueueError(`Cannot store the records: ${(error as Error).message}`, {
        cause: error,
      });
      // Waiting batches were submitted before the failure was known: stored now, they would precede the
      // failed ones.
      for (const { reject } of [...planned, ...this.#waiting.splice(0)]) reject(failure);
    }
  }

  async #keep(plan: GroupPlanner): Promise<void> {
    const { log, index, reader, ledger, onAdded } = this.#parts;
    const locations = await log.append(plan.entries.map(({ payload }) => payload));
    await log.flush();
    const { totals, streams } = await this.#writeRows(plan, locations).catch(async (error) => {
      await log.truncateTo(index.lastLocation);
      throw error;
    });
    const first = index.next;
    const last = locations.at(-1);
    if (last !== undefined) index.added(totals, last);
    for (const [stream, row] of streams) ledger.remember(stream, row);
    for (const [offset, { batch }] of plan.entries.entries()) reader.remember(first + offset, batch);
    onAdded();
  }

  async #writeRows(plan: GroupPlanner, locations: readonly SegmentLocation[]) {
    const { store, tables, index, clock, streamCounts } = this.#parts;
    const acceptedTimeUnixNano = String(clock.nowUnixNano());
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
  readonly runningTime: RunningTime;
  readonly streamCounts: StreamCounts;
  readonly clock: Clock;
  readonly events: QueueEvents;
  readonly health: Pick<WriteHealth, 'failed' | 'succeeded'>;
  /** Entries were added. */
  readonly onAdded: () => void;
}

interface Waiting {
  readonly incoming: IncomingBatch;
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
