import type { RecordBatch } from '../../src/records/record-batch.ts';
import { recordBatch } from './record-batches.ts';

/** A batch in format `json`: an object for each line. */
export function jsonBatch(objects: readonly unknown[], overrides: Partial<RecordBatch> = {}): RecordBatch {
  return recordBatch(
    objects.map((object) => `${JSON.stringify(object)}\n`),
    { format: 'json', ...overrides },
  );
}
