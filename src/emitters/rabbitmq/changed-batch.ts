import type { RecordBatch } from '../../records/record-batch.ts';

/** Why a batch with changed records waits. */
export const CHANGED =
  'the filter of this emitter changes records, and a record-batch message has only their original bytes: filter at the aggregator that consumes the messages, or use the body "json"';

export function isChanged({ changed = [] }: RecordBatch): boolean {
  return changed.length > 0;
}
