import type { Range } from './position.ts';
import type { RecordBatch } from './record-batch.ts';
import type { StreamId } from './stream-id.ts';

/**
 * The input of an emitter: slices of record batches in the order of the queue, at most
 * `AGGREGATOR_MAX_BATCH_SIZE` records and 4 MiB. Never empty. It contains only buffers, numbers, strings and
 * maps, so that it can be sent to a worker thread.
 */
export interface Batch {
  readonly slices: readonly RecordBatch[];
  readonly recordCount: number;
  readonly byteCount: number;
  /**
   * Bytes of records that a filter has dropped, between those of the slices. An emitter that remembers ranges
   * remembers these too: a repetition of them changes nothing.
   */
  readonly dropped?: readonly DroppedRange[];
}

export interface DroppedRange extends Range {
  readonly stream: StreamId;
}

export function batchOf(slices: readonly RecordBatch[]): Batch {
  let recordCount = 0;
  let byteCount = 0;
  for (const slice of slices) {
    recordCount += slice.sizes.length;
    byteCount += slice.data.length;
  }
  return { slices, recordCount, byteCount };
}
