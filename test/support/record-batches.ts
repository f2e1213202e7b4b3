import { NO_MARKS, type RecordBatch } from '../../src/records/record-batch.ts';
import { mintStreamId } from '../../src/records/stream-id.ts';

/** A batch of these records (each with its line ending, if it is to have one). */
export function recordBatch(
  records: readonly (string | Uint8Array)[],
  overrides: Partial<RecordBatch> = {},
): RecordBatch {
  const parts = records.map((record) => Buffer.from(record as string));
  return {
    stream: mintStreamId(),
    start: 0,
    resource: new Map([['host.name', 'test-host']]),
    format: 'plain',
    observedTimeUnixNano: 1_700_000_000_000_000_000n,
    sizes: Uint32Array.from(parts, (part) => part.length),
    marks: NO_MARKS,
    data: Buffer.concat(parts),
    ...overrides,
  };
}

/** The lines `prefix 0\n`, `prefix 1\n`, ... */
export function lines(count: number, prefix = 'line'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix} ${index}\n`);
}
