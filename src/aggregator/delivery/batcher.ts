import { batchOf } from '../../records/batch.ts';
import { LIMITS } from '../../records/limits.ts';
import { offsetOfRecord, type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { CursorPoint, QueueCursor, QueueEntry } from '../../storage/queue-contract.ts';
import type { PlacedBatch } from './placed-batch.ts';

/**
 * Makes batches of what lies in the queue behind a point.
 *
 *     queue -> read ahead [entry][entry] -> open [slice][slice][sl...      poll() -> batch | undefined
 *
 * A batch closes at `maxRecords`, before the record that would take it past 4 MiB, or `publishFrequencyMs` after its
 * first record was accepted. It is never empty. Everything that is queued is taken before the timer is looked at, so
 * what is in a batch does not depend on who won a race.
 *
 * Limits: what is read ahead and what is open hold 4 MiB, and one entry more (4 MiB at most).
 *
 * While data flows there is no timer: `poll` looks at the time, `wait` is only called when there is nothing to do.
 */
export class Batcher {
  readonly #cursor: QueueCursor;
  readonly #clock: Clock;
  readonly #maxRecords: number;
  readonly #publishFrequencyMs: number;

  /** Read and not yet in a batch as a whole; of the first, the records before `#record` are in one. */
  #loaded: QueueEntry[] = [];
  #loadedBytes = 0;
  #record: number;
  /** Where record `#record` begins in the first entry's data. Cutting never walks twice over the same sizes. */
  #offset = 0;
  #nextEntry: number;
  #reading: Promise<boolean> | undefined;
  /** Tells an answer to a read from before the last `seek`. */
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

  /** When the oldest record that is here was accepted; undefined when none is. */
  get oldestAcceptedTimeUnixNano(): bigint | undefined {
    return this.#open?.acceptedTimeUnixNano ?? this.#loaded[0]?.acceptedTimeUnixNano;
  }

  /** Goes on at `point`, earlier or later; what was open is forgotten. */
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

  /** From now on an open batch is closed as soon as nothing more is queued. */
  hurry(): void {
    this.#hurried = true;
    this.interrupt();
  }

  /**
   * The next batch that is full or due; undefined when nothing more is queued and what there is may wait. Rejects when
   * the queue cannot be read; nothing is lost by that, and the next call tries again. What lies before is closed first,
   * so that the cursor comes to stand where the damage is.
   */
  async poll(): Promise<PlacedBatch | undefined> {
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

  /** Resolves when `poll` may have something, at the latest after `atMostMs`, or at an `interrupt`. */
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

  /** Ends the `wait` that is under way, or else the next one. */
  interrupt(): void {
    this.#interrupted = true;
    this.#waiting?.abort();
  }

  /** Moves records from what is loaded into the open batch; answers the batch when that made it full. */
  #fill(): PlacedBatch | undefined {
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

  /** Takes what fits of the first loaded entry; 0 when not even one record does. */
  #take(open: OpenBatch, { number, batch }: QueueEntry): number {
    const from = this.#record;
    const to = this.#fittingEnd(open, batch);
    if (to === from) return 0;
    const slice = sliceRecords(batch, from, to, this.#offset);
    open.slices.push(slice);
    open.places.push({ entry: number, record: from });
    open.recordCount += to - from;
    open.byteCount += slice.data.length;
    // The end of an entry is the beginning of the next: every place in the queue has one name only.
    open.end = to === batch.sizes.length ? { entry: number + 1, record: 0 } : { entry: number, record: to };
    this.#record = to;
    this.#offset += slice.data.length;
    return to - from;
  }

  #fittingEnd(open: OpenBatch, { sizes, data }: RecordBatch): number {
    const end = Math.min(sizes.length, this.#record + this.#maxRecords - open.recordCount);
    let room = LIMITS.batchBytes - open.byteCount;
    // Nearly always the whole rest of the entry fits, and no size needs to be looked at.
    if (data.length - this.#offset <= room) return end;
    let record = this.#record;
    for (; record < end; record++) {
      room -= sizes[record] ?? 0;
      if (room < 0) break;
    }
    // A record larger than a batch may be does not come in; should one be there, it goes out by itself.
    return record === this.#record && open.recordCount === 0 ? record + 1 : record;
  }

  #openAt({ number, acceptedTimeUnixNano }: QueueEntry): OpenBatch {
    const begin = { entry: number, record: this.#record };
    const ageMs = Number(this.#clock.nowUnixNano() - acceptedTimeUnixNano) / 1e6;
    // An age below zero or beyond all measure is a jump of the wall clock; waiting is monotonic all the same.
    const waitMs = Math.min(Math.max(this.#publishFrequencyMs - ageMs, 0), this.#publishFrequencyMs);
    return {
      slices: [],
      places: [],
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

  #close(): PlacedBatch | undefined {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return undefined;
    return {
      batch: batchOf(open.slices),
      places: open.places,
      begin: open.begin,
      end: open.end,
      settled: [],
      acceptedTimeUnixNano: open.acceptedTimeUnixNano,
    };
  }

  #passEntry(): void {
    const passed = this.#loaded.shift();
    if (passed !== undefined) this.#loadedBytes -= heldBytes(passed);
    this.#record = 0;
    this.#offset = 0;
  }

  /** True when a further entry is loaded; false when nothing more is queued at this moment. */
  async #load(): Promise<boolean> {
    // A read that is under way may have been asked before the newest entry was there, so its "nothing" is not enough.
    if (this.#reading !== undefined && (await this.#reading)) return true;
    return await this.#read();
  }

  /** Keeps the disk busy while the emitter works. */
  #readAhead(): void {
    if (this.#reading !== undefined) return;
    if (this.#loadedBytes + (this.#open?.byteCount ?? 0) >= READ_AHEAD_BYTES) return;
    if (this.#loaded.length >= READ_AHEAD_ENTRIES) return;
    this.#read().then(
      (found) => {
        if (found) this.#readAhead();
      },
      () => {
        // The next poll reads again, and then it is told to somebody.
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
    // Entries in between were dropped: the place within the wanted one means nothing in another.
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
  readonly places: CursorPoint[];
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
