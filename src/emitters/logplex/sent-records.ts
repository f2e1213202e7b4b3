import type { Position } from '../../records/position.ts';
import { addRange, NO_RANGES, outside, type Ranges } from '../../records/ranges.ts';
import { offsetOfRecord, type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';

/** Far more than the parts of one batch; beyond it the oldest are forgotten, and would at worst be sent again. */
const MAX_STREAMS = 4096;

/**
 * What has arrived of a batch that as a whole has not. When delivery comes with the batch again, or with what is left of
 * it, these records are not sent again. Only memory: after a crash they are.
 */
export class SentRecords {
  readonly #ranges = new Map<StreamId, Ranges>();

  add(stream: StreamId, start: Position, end: Position): void {
    this.#ranges.set(stream, addRange(this.#ranges.get(stream) ?? NO_RANGES, { start, end }));
    const [oldest] = this.#ranges.keys();
    if (this.#ranges.size > MAX_STREAMS && oldest !== undefined) this.#ranges.delete(oldest);
  }

  /** All of it has arrived. */
  forget(stream: StreamId): void {
    this.#ranges.delete(stream);
  }

  /** The runs of records of a slice that have not been sent, with the index of the first of each. */
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

  /** Notes the records of a run for which `isDelivered`. */
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
