import assert from 'node:assert/strict';
import { NOTHING, plus } from '../../records/amount.ts';
import type { Json } from '../../records/json.ts';
import { offsetOfRecord, type RecordBatch } from '../../records/record-batch.ts';
import type { Arrivals } from './arrivals.ts';
import { isBefore } from './cursor-order.ts';
import type { Cursors } from './cursors.ts';
import type { StoredDeadLetters } from './dead-letters.ts';
import type { QueueEvents } from './events.ts';
import {
  type CursorCommit,
  type CursorPoint,
  type EntryNumber,
  type QueueCursor,
  type QueueEntry,
  QueueError,
} from './queue-contract.ts';
import type { ExactPoint, QueueIndex } from './queue-index.ts';
import type { QueueReader } from './queue-reader.ts';
import type { CursorRow } from './queue-tables.ts';

export interface EmitterCursorParts {
  readonly index: QueueIndex;
  readonly reader: QueueReader;
  readonly cursors: Cursors;
  readonly deadLetters: StoredDeadLetters;
  readonly arrivals: Arrivals;
  readonly events: QueueEvents;
  /** The memory of records is used again after the commit after them. */
  readonly returnsRecords: boolean;
  /** A cursor has moved: entries may be trimmed. */
  readonly onMoved: () => void;
}

/** Batches seldom start before the entry that precedes the last read one. */
const REMEMBERED_ENTRIES = 2;

/** Follows the queue for one emitter. Reads one entry ahead when it reads from the disk. */
export class EmitterCursor implements QueueCursor {
  readonly emitter: string;
  readonly #parts: EmitterCursorParts;
  readonly #lastRead = new Map<EntryNumber, RecordBatch>();
  #ahead: { readonly entry: EntryNumber; readonly reading: Promise<QueueEntry | undefined> } | undefined;

  constructor(emitter: string, parts: EmitterCursorParts) {
    this.emitter = emitter;
    this.#parts = parts;
  }

  get committed(): CursorPoint {
    const { entry, record } = this.#row;
    return { entry, record };
  }

  get state(): Json | undefined {
    return this.#row.state;
  }

  async read(entry: EntryNumber): Promise<QueueEntry | undefined> {
    const { index } = this.#parts;
    // Entries before the committed position are complete: emitted, dropped or discarded.
    const wanted = Math.max(entry, index.first, this.#row.entry);
    if (wanted >= index.next) return undefined;
    try {
      const result = await this.#readWanted(wanted);
      if (result !== undefined) {
        this.#remember(result);
        return result;
      }
    } catch (error) {
      // The entry may have been dropped during the read.
      if (wanted >= index.first) throw error;
    }
    if (wanted >= index.first) throw new QueueError(`Entry ${wanted} is missing from the queue's index`);
    return this.read(entry);
  }

  async waitFor(entry: EntryNumber, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (entry >= this.#parts.index.next) await this.#parts.arrivals.waitFor(entry, signal);
  }

  async commit(change: CursorCommit): Promise<void> {
    const { cursors, deadLetters, events, onMoved, reader } = this.#parts;
    const point = await this.#exactly(change.point);
    const staged = await deadLetters.stage(this.emitter, change.deadLetters ?? []);
    try {
      await cursors.change(
        [this.emitter],
        (row) => moved(row, point, change),
        () => {
          staged.put();
          staged.remove(change.replayed ?? []);
        },
      );
    } catch (error) {
      staged.abandon();
      throw new QueueError(`Cannot move the cursor of ${this.emitter}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    staged.committed();
    if (change.discarded !== undefined) events.discarded({ emitter: this.emitter, ...change.discarded });
    reader.recent.returned(this, change.unusedBefore ?? change.point.entry);
    onMoved();
  }

  get #row(): CursorRow {
    const row = this.#parts.cursors.row(this.emitter);
    assert(row !== undefined, 'the emitter was forgotten');
    return row;
  }

  async #readWanted(entry: EntryNumber): Promise<QueueEntry | undefined> {
    const { reader, index } = this.#parts;
    const ahead = this.#ahead;
    const reading = ahead?.entry === entry ? ahead.reading : this.#readFrom(entry);
    this.#ahead = undefined;
    const next = entry + 1;
    if (!reader.recent.has(entry) && next < index.next && !reader.recent.has(next)) {
      this.#ahead = { entry: next, reading: this.#readFrom(next) };
      // Its failure is reported when the entry is requested.
      this.#ahead.reading.catch(() => undefined);
    }
    return reading;
  }

  #readFrom(entry: EntryNumber): Promise<QueueEntry | undefined> {
    const { reader, returnsRecords } = this.#parts;
    return reader.read(entry, returnsRecords ? this : undefined);
  }

  #remember({ number, batch }: QueueEntry): void {
    this.#lastRead.set(number, batch);
    for (const entry of this.#lastRead.keys()) {
      if (this.#lastRead.size <= REMEMBERED_ENTRIES) break;
      this.#lastRead.delete(entry);
    }
  }

  async #exactly({ entry, record }: CursorPoint): Promise<ExactPoint> {
    const { index } = this.#parts;
    if (record === 0) {
      assert(entry <= index.next, 'a cursor cannot be after the end of the queue');
      return { entry, record, offset: 0 };
    }
    const row = index.row(entry);
    // Dropped in the meantime: the committed position is already after it.
    if (row === undefined && entry < index.first) return { entry: index.first, record: 0, offset: 0 };
    assert(row !== undefined && record <= row.records, 'a cursor is at an existing record');
    if (record === row.records) return { entry: entry + 1, record: 0, offset: 0 };
    const batch = this.#lastRead.get(entry) ?? (await this.#parts.reader.read(entry))?.batch;
    if (batch === undefined) return { entry: index.first, record: 0, offset: 0 };
    return { entry, record, offset: offsetOfRecord(batch, record) };
  }
}

/** A cursor never moves back: dropped entries stay dropped. */
function moved(row: CursorRow, point: ExactPoint, { state, discarded, filtered }: CursorCommit): CursorRow {
  return {
    ...row,
    ...(isBefore(row, point) ? point : {}),
    ...(state === undefined ? {} : { state }),
    discarded: discarded === undefined ? row.discarded : { ...plus(row.discarded, discarded) },
    ...(filtered !== undefined && { filtered: { ...plus(row.filtered ?? NOTHING, filtered) } }),
  };
}
