import fc from 'fast-check';
import type { PeerColumn } from '../../src/records/peer-column.ts';
import type { MarkedRecord, RecordBatch } from '../../src/records/record-batch.ts';
import type { StreamId } from '../../src/records/stream-id.ts';

const streamId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as StreamId);

const marksFor = (count: number): fc.Arbitrary<readonly MarkedRecord[]> =>
  fc.subarray(Array.from({ length: count }, (_, index) => index)).chain((indexes) =>
    fc
      .array(fc.constantFrom('cut' as const, 'unterminated' as const), {
        minLength: indexes.length,
        maxLength: indexes.length,
      })
      .map((marks) => indexes.map((index, i) => ({ index, mark: marks[i] ?? 'cut' }))),
  );

const attributes = fc
  .dictionary(fc.string(), fc.string(), { maxKeys: 3 })
  .map((entries) => new Map(Object.entries(entries)));

/** No peers, or one to three. */
const peersFor = (count: number): fc.Arbitrary<PeerColumn> =>
  fc.oneof(
    fc.constant({}),
    fc
      .array(attributes, { minLength: 1, maxLength: 3 })
      .chain((peers) =>
        fc
          .array(fc.nat({ max: peers.length }), { minLength: count, maxLength: count })
          .map((recordPeers) => ({ peers, recordPeers: Uint32Array.from(recordPeers) })),
      ),
  );

/** Any batch within the limits; small. */
export const arbitraryBatch: fc.Arbitrary<RecordBatch> = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 40 })
  .chain((records) =>
    fc.record({
      stream: streamId,
      start: fc.nat({ max: 2 ** 52 }),
      resource: fc
        .dictionary(fc.string(), fc.string(), { maxKeys: 5 })
        .map((entries) => new Map(Object.entries(entries))),
      format: fc.constantFrom('plain', 'combined', 'json'),
      observedTimeUnixNano: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      sizes: fc.constant(Uint32Array.from(records, (record) => record.length)),
      marks: marksFor(records.length),
      data: fc.constant(new Uint8Array(Buffer.concat(records))),
      column: peersFor(records.length),
    }),
  )
  .map(({ column, ...batch }) => ({ ...batch, ...column }));
