import { minus } from '../../records/amount.ts';
import type { SerialQueue } from '../../runtime/async/serial-queue.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Cursors } from './cursors.ts';
import type { QueueEvents } from './events.ts';
import type { QueueIndex } from './queue-index.ts';
import type { QueueTables } from './queue-tables.ts';

export class Trimming {
  readonly #parts: TrimmingParts;
  #trimming: Promise<void> | undefined;
  #again = false;

  constructor(parts: TrimmingParts) {
    this.#parts = parts;
  }

  /** Removes entries that all cursors have passed. Never rejects: a failed removal is tried again later. */
  trim(): Promise<void> {
    this.#again = this.#trimming !== undefined;
    this.#trimming ??= this.#trimAll().finally(() => {
      this.#trimming = undefined;
    });
    return this.#trimming;
  }

  /**
   * Drops the unread entries of the oldest segment for the emitter with the lowest cursor. False: there are
   * none.
   */
  async dropOldest(): Promise<boolean> {
    const { cursors, index, log, logTurns, events } = this.#parts;
    const behind = cursors.furthestBehind();
    if (behind === undefined || index.first >= index.next) return false;
    const { segment } = index.row(Math.max(behind.row.entry, index.first)) ?? {};
    if (segment === undefined) {
      await this.trim();
      return false;
    }
    if (segment === log.writingSegment) await logTurns.run(() => log.seal());
    const entry = index.firstEntryIn(segment + 1);
    const point = { entry, record: 0, offset: 0 };
    const losing = cursors.emitters.filter((emitter) => (cursors.row(emitter)?.entry ?? entry) < entry);
    const lost = new Map<string, { records: number; bytes: number }>();
    await cursors.change(losing, (row, emitter) => {
      if (row.entry >= entry) return row;
      const { records, bytes } = minus(index.amountBefore(point), index.amountBefore(row));
      lost.set(emitter, { records, bytes });
      return {
        ...row,
        ...point,
        discarded: { records: row.discarded.records + records, bytes: row.discarded.bytes + bytes },
      };
    });
    for (const [emitter, amount] of lost) events.dropped({ emitter, ...amount });
    await this.trim();
    return true;
  }

  async #trimAll(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#trimOnce();
      } catch (error) {
        const what = 'the removal of entries that every emitter has passed';
        this.#parts.events.backgroundWriteFailed({ err: error, what });
      }
      await this.#parts.onTrimmed();
    } while (this.#again);
  }

  async #trimOnce(): Promise<void> {
    const { log, index, logTurns } = this.#parts;
    if (!this.#mayHaveWork()) return;
    // Between two groups: all entries of a segment are in the index then.
    const keptSegment = await logTurns.run(() => this.#firstKeptSegment());
    const firstKept = index.firstEntryIn(keptSegment);
    index.trimmed(firstKept);
    while (index.firstRow < firstKept) {
      await this.#removeRows(Math.min(firstKept, index.firstRow + ROWS_PER_WRITE));
    }
    for (const segment of log.segments) if (segment < keptSegment) await log.remove(segment);
  }

  #mayHaveWork(): boolean {
    const { cursors, index, log } = this.#parts;
    const lowest = cursors.furthestBehind()?.row.entry;
    const [oldestSegment] = log.segments;
    if (lowest === undefined || oldestSegment === undefined) return false;
    return lowest >= index.next || (index.row(lowest)?.segment ?? 0) > oldestSegment;
  }

  /** The first segment with waiting entries, or that is being written. */
  async #firstKeptSegment(): Promise<number> {
    const { cursors, index, log } = this.#parts;
    const lowest = cursors.furthestBehind()?.row.entry;
    if (lowest === undefined) return 0;
    if (lowest < index.next) return index.row(lowest)?.segment ?? 0;
    if (this.#shouldSeal()) await log.seal();
    // Not all that are larger: the next append begins a segment, while this one removes the earlier ones.
    return log.writingSegment ?? (log.segments.at(-1) ?? -1) + 1;
  }

  #shouldSeal(): boolean {
    const { log, segmentBytes, isStopped } = this.#parts;
    const size = log.sizeOf(log.writingSegment ?? 0);
    return size > 0 && (isStopped() || size >= segmentBytes / 2);
  }

  async #removeRows(before: number): Promise<void> {
    const { store, tables, index } = this.#parts;
    const from = index.firstRow;
    await store.write(() => {
      for (let entry = from; entry < before; entry++) tables.entries.remove(entry);
    });
    index.removedRows(before);
  }
}

/*
 * Frees space by whole segments: when all cursors have passed a segment's last entry, the rows of its entries are
 * removed, then the file.
 *
 *       removed           kept, though passed     waiting for the slowest emitter
 *     [ segment 1 ][ segment 2      .......... ][ segment 3 ...
 *                                 ^ lowest cursor
 *
 *   - Rows first: a file without rows is garbage and is removed at the next start; a row without its file would be damage.
 *   - The segment being written is removed too (a new one begins) when everything in it is passed and it is at least
 *     half full, or the queue is stopped: otherwise a queue smaller than a segment could never continue.
 *   - Without any cursor nothing is removed: an emitter's first start must find earlier records.
 */
const ROWS_PER_WRITE = 1000;

export interface TrimmingParts {
  readonly store: StateStore;
  readonly tables: QueueTables;
  readonly log: SegmentLog;
  readonly logTurns: SerialQueue;
  readonly index: QueueIndex;
  readonly cursors: Cursors;
  readonly events: QueueEvents;
  readonly segmentBytes: number;
  readonly isStopped: () => boolean;
  /** Space may have been freed. */
  readonly onTrimmed: () => Promise<void>;
}
