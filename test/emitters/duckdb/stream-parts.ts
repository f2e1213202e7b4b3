import { type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
import type { StreamId } from '../../../src/records/stream-id.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const STREAMS = 7;
const PARTS = 600;
const RECORDS_PER_PART = 300;

/** The same every time: what three-hundred-line parts of seven streams hold, cut into two slices here and there. */
export const streamParts = {
  count: PARTS,
  records: PARTS * RECORDS_PER_PART,
  from: (seed: number, first: number): (readonly RecordBatch[])[] =>
    Array.from({ length: PARTS - first }, (_, index) => part(seed, first + index)),
};

function part(seed: number, number: number): readonly RecordBatch[] {
  const stream = number % STREAMS;
  const round = Math.floor(number / STREAMS);
  // Every part of a stream is as long as the others, so that its place is known.
  const records = lines(RECORDS_PER_PART, `s${seed} p${String(number).padStart(4, '0')} ${'x'.repeat(60)}`);
  const batch = recordBatch(records, {
    stream: `${stream}`.padStart(32, 'a') as StreamId,
    start: round * PART_BYTES,
  });
  return number % 3 === 0
    ? [sliceRecords(batch, 0, 100), sliceRecords(batch, 100, RECORDS_PER_PART)]
    : [batch];
}

const PART_BYTES = 1024 * 1024;
