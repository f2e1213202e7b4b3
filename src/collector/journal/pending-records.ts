import { LIMITS } from '../../records/limits.ts';
import type { Resource } from '../../records/resource.ts';
import type { Loss } from './loss.ts';

/** The unwritten records of one stream, packed on arrival. */
export class PendingRecords {
  #runs: RecordRun[] = [];
  #label: RecordLabel | undefined;
  #observedTimeUnixNano = 0n;
  #data: Uint8Array = new Uint8Array(0);
  #sizes = new Uint32Array(0);
  #bytes = 0;
  #records = 0;
  /** The size of the last run: the next one is likely not larger, so its buffers do not have to grow. */
  #likelyBytes = FIRST_BYTES;
  #likelyRecords = FIRST_RECORDS;

  get isEmpty(): boolean {
    return this.#runs.length === 0 && this.#records === 0;
  }

  /** Copies the record. Calls `now` once for each run. */
  add(record: Uint8Array, label: RecordLabel, now: () => bigint): void {
    const needed = this.#bytes + record.length;
    if (this.#label !== label || needed > RUN_BYTES || this.#records === LIMITS.batchRecords)
      this.#closeRun();
    if (this.#records === 0) {
      this.#label = label;
      this.#observedTimeUnixNano = now();
    }
    this.#makeRoom(this.#bytes + record.length);
    this.#data.set(record, this.#bytes);
    this.#sizes[this.#records++] = record.length;
    this.#bytes += record.length;
  }

  /** Adds a separate record that reports a loss. */
  addLossReport(lossReport: Loss, record: Uint8Array, label: RecordLabel, now: () => bigint): void {
    this.#closeRun();
    const sizes = Uint32Array.of(record.length);
    this.#runs.push({ label, observedTimeUnixNano: now(), sizes, data: record, lossReport });
  }

  /** Returns and removes all runs, in order. */
  take(): readonly RecordRun[] {
    this.#closeRun();
    const runs = this.#runs;
    this.#runs = [];
    return runs;
  }

  /** Returns runs that could not be written. */
  putBack(runs: readonly RecordRun[]): void {
    this.#runs = [...runs, ...this.#runs];
  }

  #closeRun(): void {
    if (this.#records > 0 && this.#label !== undefined) {
      this.#likelyBytes = Math.max(FIRST_BYTES, roundedUp(this.#bytes));
      this.#likelyRecords = Math.max(FIRST_RECORDS, roundedUp(this.#records));
      this.#runs.push({
        label: this.#label,
        observedTimeUnixNano: this.#observedTimeUnixNano,
        sizes: this.#sizes.subarray(0, this.#records),
        data: this.#data.subarray(0, this.#bytes),
      });
    }
    this.#data = new Uint8Array(0);
    this.#sizes = new Uint32Array(0);
    this.#bytes = 0;
    this.#records = 0;
  }

  #makeRoom(bytes: number): void {
    if (bytes > this.#data.length) {
      const wanted = this.#data.length === 0 ? this.#likelyBytes : 2 * this.#data.length;
      const grown = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(RUN_BYTES, wanted)));
      grown.set(this.#data.subarray(0, this.#bytes));
      this.#data = grown;
    }
    if (this.#records === this.#sizes.length) {
      const grown = new Uint32Array(Math.max(this.#likelyRecords, 2 * this.#sizes.length));
      grown.set(this.#sizes);
      this.#sizes = grown;
    }
  }
}

/** Properties that records share. Compared by identity: use the same object for the same origin. */
export interface RecordLabel {
  readonly format: string;
  readonly resource: Resource;
}

/** Consecutive records with the same label: they become one entry of the journal. */
export interface RecordRun {
  readonly label: RecordLabel;
  readonly observedTimeUnixNano: bigint;
  readonly sizes: Uint32Array;
  readonly data: Uint8Array;
  /** The run is the record that reports this loss. */
  readonly lossReport?: Loss;
}

/** A run is the unit of writing and reading; larger ones bring no gain. */
const RUN_BYTES = 256 * 1024;
const FIRST_BYTES = 1024;
const FIRST_RECORDS = 4;

/** Adds a quarter. */
function roundedUp(value: number): number {
  return Math.ceil((value * 5) / 4);
}
