import type { Position } from '../records/position.ts';
import { addRange, NO_RANGES, outside, type Ranges } from '../records/ranges.ts';
import { offsetOfRecord, type RecordBatch, sliceRecords } from '../records/record-batch.ts';
import type { StreamId } from '../records/stream-id.ts';

/** More than one batch needs. Above it the oldest are removed, and their records may be sent twice. */
const MAX_STREAMS = 4096;

/**
 * The delivered records of a partly delivered batch. When delivery retries the batch or the rest of it, these
 * records are not sent again. They are held in memory only, so a crash causes duplicates.
 */
export class SentRecords {
  readonly #ranges = new Map<StreamId, Ranges>();

  add(stream: StreamId, start: Position, end: Position): void {
    this.#ranges.set(stream, addRange(this.#ranges.get(stream) ?? NO_RANGES, { start, end }));
    const [oldest] = this.#ranges.keys();
    if (this.#ranges.size > MAX_STREAMS && oldest !== undefined) this.#ranges.delete(oldest);
  }

  /** Called when all records of the batch are delivered. */
  forget(stream: StreamId): void {
    this.#ranges.delete(stream);
  }

  /** Runs of unsent records of a slice, with the index of their first record. */
  unsent(slice: RecordBatch): readonly { readonly slice: RecordBatch; readonly from: number }[] {
    const ranges = this.#ranges.get(slice.stream);
    if (ranges === undefined) return [{ slice, from: 0 }];
    const runs: { slice: RecordBatch; from: number }[] = [];
    let offset = 0;
    let from = 0;
    let runOffset = 0;
    for (let index = 0; index <= slice.sizes.length; index++) {
      const start = slice.start + offset;
      const size = slice.sizes[index];
      const isSent = size === undefined || outside({ start, end: start + size }, ranges).length === 0;
      offset += size ?? 0;
      if (!isSent) continue;
      if (from < index) runs.push({ slice: sliceRecords(slice, from, index, runOffset), from });
      from = index + 1;
      runOffset = offset;
    }
    return runs;
  }

  /** Adds the records of a run for which `isDelivered` returns true. */
  addDelivered(slice: RecordBatch, isDelivered: (index: number) => boolean): void {
    let from = 0;
    let fromOffset = 0;
    while (from < slice.sizes.length) {
      let to = from;
      while (to < slice.sizes.length && isDelivered(to)) to++;
      const toOffset = offsetOfRecord(slice, to, from, fromOffset);
      if (to > from) this.add(slice.stream, slice.start + fromOffset, slice.start + toOffset);
      fromOffset = offsetOfRecord(slice, to + 1, to, toOffset);
      from = to + 1;
    }
  }
}
