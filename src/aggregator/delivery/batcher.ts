import { batchOf } from '../../records/batch.ts';
import { LIMITS } from '../../records/limits.ts';
import { offsetOfRecord, type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { CursorPoint, QueueCursor, QueueEntry } from '../../storage/queue/queue-contract.ts';
import type { QueuedBatch } from './queued-batch.ts';

/**
 * Makes batches of the queued entries after a point.
 *
 *     queue -> read ahead [entry][entry] -> open [slice][slice][sl...      poll() -> batch | undefined
 *
 * A batch closes at `maxRecords`, before the record that would exceed 4 MiB, or `publishFrequencyMs` after
 * its first record was accepted. It is never empty. `poll` reads everything that is queued before it checks
 * the time, so the content of a batch does not depend on timing.
 *
 * Limit: the read-ahead and the open batch together hold 4 MiB plus one entry (4 MiB at most).
 *
 * While data flows there is no timer: `poll` checks the time, and `wait` is called only when there is nothing
 * to do.
 */
export class Batcher {
  readonly #cursor: QueueCursor;
  readonly #clock: Clock;
  readonly #maxRecords: number;
  readonly #publishFrequencyMs: number;

  /**
   * Entries that were read and are not yet completely in a batch. Records before `#record` of the first one
   * are.
   */
  #loaded: QueueEntry[] = [];
  #loadedBytes = 0;
  #record: number;
  /** Byte offset of record `#record` in the first entry. It avoids adding up the same sizes twice. */
  #offset = 0;
  #nextEntry: number;
  #reading: Promise<boolean> | undefined;
  /** Increases with each `seek`; marks the result of an earlier read as outdated. */
  #generation = 0;

  #open: OpenBatch | undefined;
  #hurried = false;
  #interrupted = false;
  #waiting: AbortController | undefined;

  constructor({ cursor, clock, from, maxRecords, publishFrequencyMs }: BatcherOptions) {
    this.#cursor = cursor;
    this.#clock = clock;
    this.#maxRecords = maxRecords;
    this.#publishFrequencyMs = publishFrequencyMs;
    this.#nextEntry = from.entry;
    this.#record = from.record;
  }

  /** When the oldest record in this batcher was accepted; undefined when there is none. */
  get oldestAcceptedTimeUnixNano(): bigint | undefined {
    return this.#open?.acceptedTimeUnixNano ?? this.#loaded[0]?.acceptedTimeUnixNano;
  }

  /** Continues at `point`, earlier or later, and discards the open batch. */
  seek(point: CursorPoint): void {
    this.#generation++;
    this.#reading = undefined;
    this.#loaded = [];
    this.#loadedBytes = 0;
    this.#open = undefined;
    this.#nextEntry = point.entry;
    this.#record = point.record;
    this.#offset = 0;
  }

  /** From now on an open batch closes as soon as the queue is empty. */
  hurry(): void {
    this.#hurried = true;
    this.interrupt();
  }

  /**
   * Returns the next batch that is full or due; undefined when the queue is empty and the open batch can
   * wait. Rejects when the queue cannot be read; no data is lost, and the next call tries again. Records
   * before the damaged entry are returned first, so that the cursor stops exactly at the damage.
   */
  async poll(): Promise<QueuedBatch | undefined> {
    for (;;) {
      const full = this.#fill();
      if (full !== undefined) {
        this.#readAhead();
        return full;
      }
      try {
        if (!(await this.#load())) return this.#isDue() ? this.#close() : undefined;
      } catch (error) {
        if (this.#open === undefined) throw error;
        return this.#close();
      }
    }
  }

  /** Resolves when `poll` may return a batch, after `atMostMs` at the latest, or at an `interrupt`. */
  async wait(atMostMs = Number.POSITIVE_INFINITY): Promise<void> {
    const waiting = new AbortController();
    this.#waiting = waiting;
    if (this.#interrupted) waiting.abort();
    const ms = Math.min(atMostMs, this.#msUntilDue());
    const cancel = Number.isFinite(ms) ? this.#clock.after(ms, () => waiting.abort()) : undefined;
    try {
      await this.#cursor.waitFor(this.#nextEntry, waiting.signal);
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
    } finally {
      cancel?.();
      this.#waiting = undefined;
      this.#interrupted = false;
    }
  }

  /** Ends the current `wait`, or the next one if there is none. */
  interrupt(): void {
    this.#interrupted = true;
    this.#waiting?.abort();
  }

  /** Moves loaded records into the open batch; returns the batch when it is full. */
  #fill(): QueuedBatch | undefined {
    for (;;) {
      const entry = this.#loaded[0];
      if (entry === undefined) return undefined;
      const { sizes } = entry.batch;
      if (this.#record >= sizes.length) {
        this.#passEntry();
        continue;
      }
      this.#open ??= this.#openAt(entry);
      const taken = this.#take(this.#open, entry);
      if (taken === 0 || this.#open.recordCount >= this.#maxRecords) return this.#close();
    }
  }

  /** Moves the records of the first loaded entry that fit; returns their number, 0 for none. */
  #take(open: OpenBatch, { number, batch }: QueueEntry): number {
    const from = this.#record;
    const to = this.#fittingEnd(open, batch);
    if (to === from) return 0;
    const slice = sliceRecords(batch, from, to, this.#offset);
    open.slices.push({ ...slice, place: { entry: number, start: batch.start } });
    open.positions.push({ entry: number, record: from });
    open.recordCount += to - from;
    open.byteCount += slice.data.length;
    // The end of an entry is expressed as the beginning of the next one: each position has exactly one form.
    open.end = to === batch.sizes.length ? { entry: number + 1, record: 0 } : { entry: number, record: to };
    this.#record = to;
    this.#offset += slice.data.length;
    return to - from;
  }

  #fittingEnd(open: OpenBatch, { sizes, data }: RecordBatch): number {
    const end = Math.min(sizes.length, this.#record + this.#maxRecords - open.recordCount);
    let room = LIMITS.batchBytes - open.byteCount;
    // Usually the whole rest of the entry fits, and no size has to be checked.
    if (data.length - this.#offset <= room) return end;
    let record = this.#record;
    for (; record < end; record++) {
      room -= sizes[record] ?? 0;
      if (room < 0) break;
    }
    // The intake accepts no record larger than a batch; if there is one, it becomes a batch of its own.
    return record === this.#record && open.recordCount === 0 ? record + 1 : record;
  }

  #openAt({ number, acceptedTimeUnixNano }: QueueEntry): OpenBatch {
    const begin = { entry: number, record: this.#record };
    const ageMs = Number(this.#clock.nowUnixNano() - acceptedTimeUnixNano) / 1e6;
    // A negative or very large age means that the wall clock jumped; the wait itself is monotonic.
    const waitMs = Math.min(Math.max(this.#publishFrequencyMs - ageMs, 0), this.#publishFrequencyMs);
    return {
      slices: [],
      positions: [],
      recordCount: 0,
      byteCount: 0,
      begin,
      end: begin,
      acceptedTimeUnixNano,
      dueMs: this.#clock.monotonicMs() + waitMs,
    };
  }

  #isDue(): boolean {
    return this.#open !== undefined && (this.#hurried || this.#msUntilDue() <= 0);
  }

  #msUntilDue(): number {
    return this.#open === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(this.#open.dueMs - this.#clock.monotonicMs(), 0);
  }

  #close(): QueuedBatch | undefined {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return undefined;
    return {
      batch: batchOf(open.slices),
      positions: open.positions,
      begin: open.begin,
      end: open.end,
      deadLetters: [],
      acceptedTimeUnixNano: open.acceptedTimeUnixNano,
    };
  }

  #passEntry(): void {
    const passed = this.#loaded.shift();
    if (passed !== undefined) this.#loadedBytes -= heldBytes(passed);
    this.#record = 0;
    this.#offset = 0;
  }

  /** True when it loaded another entry; false when the queue is empty at the moment. */
  async #load(): Promise<boolean> {
    // A pending read may have started before the newest entry was written, so its empty result does not
    // count.
    if (this.#reading !== undefined && (await this.#reading)) return true;
    return await this.#read();
  }

  /** Reads from disk while the emitter works. */
  #readAhead(): void {
    if (this.#reading !== undefined) return;
    if (this.#loadedBytes + (this.#open?.byteCount ?? 0) >= READ_AHEAD_BYTES) return;
    if (this.#loaded.length >= READ_AHEAD_ENTRIES) return;
    this.#read().then(
      (found) => {
        if (found) this.#readAhead();
      },
      () => {
        // The next poll reads again and reports the error.
      },
    );
  }

  #read(): Promise<boolean> {
    const reading = this.#readEntry().finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
    return reading;
  }

  async #readEntry(): Promise<boolean> {
    const generation = this.#generation;
    const wanted = this.#nextEntry;
    const entry = await this.#cursor.read(wanted);
    if (entry === undefined || generation !== this.#generation) return false;
    // The queue dropped the entries in between: the record index does not apply to another entry.
    if (entry.number !== wanted && this.#loaded.length === 0) {
      this.#record = 0;
      this.#offset = 0;
    }
    if (this.#loaded.length === 0) this.#offset = offsetOfRecord(entry.batch, this.#record);
    this.#loaded.push(entry);
    this.#loadedBytes += heldBytes(entry);
    this.#nextEntry = entry.number + 1;
    return true;
  }
}

export interface BatcherOptions {
  readonly cursor: QueueCursor;
  readonly clock: Clock;
  readonly from: CursorPoint;
  readonly maxRecords: number;
  readonly publishFrequencyMs: number;
}

interface OpenBatch {
  readonly slices: RecordBatch[];
  readonly positions: CursorPoint[];
  recordCount: number;
  byteCount: number;
  readonly begin: CursorPoint;
  end: CursorPoint;
  readonly acceptedTimeUnixNano: bigint;
  /** Monotonic. */
  readonly dueMs: number;
}

const READ_AHEAD_BYTES = LIMITS.batchBytes;
const READ_AHEAD_ENTRIES = 256;

function heldBytes({ batch }: QueueEntry): number {
  return batch.data.length + batch.sizes.byteLength;
}
