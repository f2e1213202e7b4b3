import type { Resource } from '../../records/resource.ts';
import { GrowingRun, type RunMemory, type RunSize } from './growing-run.ts';
import type { Loss } from './loss.ts';
import type { AppendedRun, RecordLabel, RecordRun } from './record-run.ts';

/**
 * The unwritten records of one stream, packed on arrival into runs: consecutive records with one label.
 *
 * With the order `label`, a run stays open while other labels arrive, so that a thousand interleaved senders
 * do not make a thousand runs of one record.
 */
export class PendingRecords {
  order: RecordOrder = 'arrival';
  readonly #memory: RunMemory;
  #closed: RecordRun[] = [];
  /** In the order in which they were opened; at most one with the order `arrival`. */
  readonly #open = new Map<RecordLabel, GrowingRun>();
  /** The run of the last record. */
  #current: GrowingRun | undefined;
  /** The size of the last run of a label: the next one is likely not larger. */
  readonly #likely = new WeakMap<RecordLabel, RunSize>();

  constructor(memory: RunMemory) {
    this.#memory = memory;
  }

  get isEmpty(): boolean {
    return this.#closed.length === 0 && this.#open.size === 0;
  }

  /** Copies the record. Calls `now` once for each run. */
  add(record: PendingRecord, now: () => bigint): void {
    const { bytes, label, peer, addsLf } = record;
    let run = this.#current?.label === label ? this.#current : this.#switchTo(label);
    if (run !== undefined && !run.hasRoomFor(sizeOf(record), peer)) {
      this.#close(run);
      run = undefined;
    }
    run ??= this.#begin(label, now());
    if (addsLf === true) run.addWithLf(bytes, peer);
    else run.add(bytes, peer);
    this.#current = run;
  }

  /** Copies the records. Calls `now` once for each run of this class. */
  addRun(records: AppendedRun, label: RecordLabel, now: () => bigint): void {
    let run = this.#current?.label === label ? this.#current : this.#switchTo(label);
    for (let index = 0, offset = 0; index < records.sizes.length; ) {
      run ??= this.#begin(label, now());
      this.#current = run;
      const added = run.addRun(records, index, offset);
      index += added.records;
      offset += added.bytes;
      if (index === records.sizes.length) return;
      this.#close(run);
      run = undefined;
    }
  }

  /** Adds a separate record that reports a loss. */
  addLossReport(lossReport: Loss, record: Uint8Array, label: RecordLabel, now: () => bigint): void {
    this.#closeAll();
    const sizes = Uint32Array.of(record.length);
    this.#closed.push({ label, observedTimeUnixNano: now(), sizes, data: record, lossReport });
  }

  /** Returns and removes all runs, in order. */
  take(): readonly RecordRun[] {
    this.#closeAll();
    const runs = this.#closed;
    this.#closed = [];
    return runs;
  }

  /** Returns runs that could not be written. */
  putBack(runs: readonly RecordRun[]): void {
    this.#closed = [...runs, ...this.#closed];
  }

  /** The open run of another label than that of the last record. */
  #switchTo(label: RecordLabel): GrowingRun | undefined {
    if (this.order === 'arrival') this.#closeAll();
    return this.#open.get(label);
  }

  #begin(label: RecordLabel, observedTimeUnixNano: bigint): GrowingRun {
    const [oldest] = this.#open.values();
    if (this.#open.size >= MAX_OPEN_RUNS && oldest !== undefined) this.#close(oldest);
    const run = new GrowingRun(label, observedTimeUnixNano, {
      memory: this.#memory,
      likely: this.#likely.get(label),
    });
    this.#open.set(label, run);
    return run;
  }

  #closeAll(): void {
    for (const run of this.#open.values()) this.#close(run);
  }

  #close(run: GrowingRun): void {
    this.#likely.set(run.label, run.nextSize);
    this.#closed.push(run.done());
    this.#open.delete(run.label);
    if (this.#current === run) this.#current = undefined;
  }
}

/** The bytes are valid only during the call. */
export interface PendingRecord {
  readonly bytes: Uint8Array;
  readonly label: RecordLabel;
  readonly peer?: Resource | undefined;
  /** LF follows the bytes. */
  readonly addsLf?: boolean;
}

/** The bytes of the record in the journal. */
export function sizeOf({ bytes, addsLf }: PendingRecord): number {
  return addsLf === true ? bytes.length + 1 : bytes.length;
}

/**
 * `arrival`: records keep the order in which they arrived. `label`: only records with the same label do;
 * records of one commit with different labels may change places.
 */
export type RecordOrder = 'arrival' | 'label';

/** Limits the memory of runs that have just begun. */
const MAX_OPEN_RUNS = 1024;
