import type { BatchStage } from '../../src/emitters/decorators/staged-emitter.ts';
import { batchOf } from '../../src/records/batch.ts';
import { forEachRecord, type RecordBatch, sliceRecords } from '../../src/records/record-batch.ts';

/** A stage that leaves out the records that contain a text. */
export function withoutRecords(text: string): BatchStage {
  return ({ slices }) => {
    const kept: RecordBatch[] = [];
    const originalIndexes: number[] = [];
    let first = 0;
    for (const slice of slices) {
      forEachRecord(slice, (bytes, index) => {
        if (Buffer.from(bytes).includes(text)) return;
        kept.push(sliceRecords(slice, index, index + 1));
        originalIndexes.push(first + index);
      });
      first += slice.sizes.length;
    }
    return { batch: batchOf(kept), originalIndexes };
  };
}
