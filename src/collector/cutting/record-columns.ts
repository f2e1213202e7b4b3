import { LIMITS } from '../../records/limits.ts';
import { type MarkedRecord, NO_MARKS, type RecordMark } from '../../records/record-batch.ts';
import { type Cut, NOTHING_CUT } from './cutter.ts';

/** Sizes of the records of a call, copied at its end. Shared by all cutters, because cutting is synchronous. */
const scratch = new Uint32Array(LIMITS.batchRecords);

/** Collects the records of one call as columns. */
export class RecordColumns {
  readonly #maxRecords: number;
  #count = 0;
  #length = 0;
  #marks: MarkedRecord[] | undefined;

  constructor(maxRecords: number) {
    this.#maxRecords = Math.min(maxRecords, scratch.length);
  }

  get full(): boolean {
    return this.#count === this.#maxRecords;
  }

  /** The beginning of the next record. */
  get length(): number {
    return this.#length;
  }

  /** The next record ends at `end`. */
  add(end: number): void {
    scratch[this.#count++] = end - this.#length;
    this.#length = end;
  }

  addMarked(end: number, mark: RecordMark): void {
    this.#marks ??= [];
    this.#marks.push({ index: this.#count, mark });
    this.add(end);
  }

  done(): Cut {
    if (this.#count === 0) return NOTHING_CUT;
    return { sizes: scratch.slice(0, this.#count), marks: this.#marks ?? NO_MARKS, length: this.#length };
  }
}
