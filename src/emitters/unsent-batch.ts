import type { Batch } from '../records/batch.ts';
import { type RecordBatch, sliceRecords } from '../records/record-batch.ts';
import type { SentRecords } from './sent-records.ts';

/** Records converted at a time. */
const CHUNK_RECORDS = 64;

/** The records of a batch that were not delivered by an earlier attempt, in order. */
export class UnsentBatch {
  readonly #batch: Batch;
  readonly #sent: SentRecords;
  readonly #runs: readonly Run[];
  readonly #isAnswered: Uint8Array;

  constructor(batch: Batch, sent: SentRecords) {
    this.#batch = batch;
    this.#sent = sent;
    this.#runs = runsOf(batch, sent);
    this.#isAnswered = new Uint8Array(this.#runs.reduce((sum, { slice }) => sum + slice.sizes.length, 0));
  }

  /** Slices of a few records each. */
  *slices(): Generator<RecordBatch> {
    for (const { slice } of this.#runs) {
      for (let from = 0; from < slice.sizes.length; from += CHUNK_RECORDS) {
        yield sliceRecords(slice, from, Math.min(from + CHUNK_RECORDS, slice.sizes.length));
      }
    }
  }

  /** The unsent record `index` was accepted. */
  accept(index: number): void {
    this.#isAnswered[index] = 1;
  }

  /** The index in the batch of the unsent record `index`. */
  indexInBatch(index: number): number {
    const run = this.#runs.findLast(({ firstUnsent }) => firstUnsent <= index);
    return run === undefined ? index : run.firstIndex + index - run.firstUnsent;
  }

  /** Delivery emits the rest of the batch again: the accepted records must not be sent twice. */
  rememberAccepted(): void {
    for (const { slice, firstUnsent } of this.#runs) {
      this.#sent.addDelivered(slice, (index) => this.#isAnswered[firstUnsent + index] === 1);
    }
  }

  /** All records of the batch are delivered. */
  forget(): void {
    for (const { stream } of this.#batch.slices) this.#sent.forget(stream);
  }
}

interface Run {
  readonly slice: RecordBatch;
  /** The index of its first record in the batch. */
  readonly firstIndex: number;
  /** The index of its first record among the unsent ones. */
  readonly firstUnsent: number;
}

function runsOf(batch: Batch, sent: SentRecords): readonly Run[] {
  const runs: Run[] = [];
  let sliceIndex = 0;
  let firstUnsent = 0;
  for (const slice of batch.slices) {
    for (const run of sent.unsent(slice)) {
      runs.push({ slice: run.slice, firstIndex: sliceIndex + run.from, firstUnsent });
      firstUnsent += run.slice.sizes.length;
    }
    sliceIndex += slice.sizes.length;
  }
  return runs;
}
