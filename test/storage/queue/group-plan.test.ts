import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkOf } from '../../../src/records/check.ts';
import { addRange, outside, type Ranges, totalBytes } from '../../../src/records/ranges.ts';
import { endOf, type RecordBatch } from '../../../src/records/record-batch.ts';
import { emptyChecksum, extendChecksum } from '../../../src/records/running-checksum.ts';
import type { StreamId } from '../../../src/records/stream-id.ts';
import { decodeRecordBatch, encodeRecordBatch } from '../../../src/records/wire.ts';
import { GroupPlanner } from '../../../src/storage/queue/group-plan.ts';
import { flattenRanges } from '../../../src/storage/queue/ledger.ts';
import { OtherBytesError } from '../../../src/storage/queue/queue-contract.ts';
import type { StreamRow } from '../../../src/storage/queue/queue-tables.ts';
import { StreamCounts } from '../../../src/storage/queue/stream-counts.ts';
import { bytesOf } from '../../../src/storage/segments/segment-format.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { incomingBatch } from '../queue-fixture.ts';

const STREAMS = ['aa', 'bb'].map((digits) => digits.repeat(16) as StreamId);

/** Bytes of a stream are a function of their position. */
function batchOf(stream: StreamId, start: number, sizes: readonly number[]): RecordBatch {
  let position = start;
  const records = sizes.map((size) => Buffer.from(Array.from({ length: size }, () => position++ % 251)));
  return recordBatch(records, { stream, start });
}

const batch = fc
  .tuple(
    fc.constantFrom(...STREAMS),
    fc.integer({ min: 0, max: 80 }),
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
  )
  .map(([stream, start, sizes]) => batchOf(stream, start, sizes));

const ranges = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 1, max: 9 })))
  .map((parts) =>
    parts.reduce<Ranges>((all, [start, size]) => addRange(all, { start, end: start + size }), []),
  );

function rowOf(taken: Ranges): StreamRow {
  return {
    ranges: flattenRanges(taken),
    endCheck: checkOf(Buffer.from('before')),
    owner: null,
    records: 0,
    bytes: totalBytes(taken),
    lastEntry: 0,
    seenDay: 0,
    final: null,
  };
}

function newPlanner(row?: StreamRow): GroupPlanner {
  const collectors = { get: () => undefined, put: () => {}, remove: () => {}, entries: () => [] };
  const streamCounts = new StreamCounts({ collectors }, 1000);
  return new GroupPlanner({ rowOf: () => row, claimOf: () => undefined, streamCounts });
}

describe('a plan', () => {
  test('stores each byte once, in order of arrival, and only bytes that the ledger does not have', () => {
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 12 }), ranges, (batches, taken) => {
        const planner = newPlanner(rowOf(taken));
        for (const each of batches) planner.add(incomingBatch(each));
        for (const stream of STREAMS) {
          const own = batches.filter((each) => each.stream === stream);
          const kept = planner.entries.map((entry) => entry.batch).filter((each) => each.stream === stream);
          let union: Ranges = taken;
          for (const each of own) union = addRange(union, { start: each.start, end: endOf(each) });
          let again: Ranges = taken;
          for (const each of kept) {
            const range = { start: each.start, end: endOf(each) };
            expect(outside(range, again), 'nothing twice').toEqual([range]);
            again = addRange(again, range);
          }
          expect(again).toEqual(union);
          if (own.length > 0 && kept.length > 0) {
            expect(planner.streams.get(stream)?.ranges).toEqual(union);
            expect(planner.streams.get(stream)?.bytes).toBe(totalBytes(union));
          }
        }
        const bytes = planner.entries.reduce((sum, entry) => sum + entry.batch.data.length, 0);
        expect(planner.kept.bytes).toBe(bytes);
        expect(planner.kept.bytes + planner.repeatedBytes).toBe(
          batches.reduce((sum, each) => sum + each.data.length, 0),
        );
      }),
    );
  });

  test('reads back the stored batches', () => {
    fc.assert(
      fc.property(batch, ranges, (each, taken) => {
        const planner = newPlanner(rowOf(taken));
        planner.add(incomingBatch(each));
        for (const entry of planner.entries) {
          const decoded = decodeRecordBatch(Buffer.concat(entry.payload.map(bytesOf)));
          expect({ ...decoded, data: Buffer.from(decoded.data) }).toEqual({
            ...entry.batch,
            data: Buffer.from(entry.batch.data),
          });
        }
      }),
    );
  });

  test('writes a new batch as received', () => {
    const planner = newPlanner();
    const incoming = incomingBatch(batchOf(STREAMS[0] as StreamId, 5, [1, 2, 3]));
    planner.add(incoming);
    expect(planner.entries[0]?.payload).toEqual([incoming.encoded]);
    expect(planner.entries[0]?.payload[0]).toBe(incoming.encoded);
  });

  test('passes on the checksum of uncompressed records, as the sender summed them', () => {
    const sent = batchOf(STREAMS[0] as StreamId, 5, [1, 2, 3]);
    const encoded = encodeRecordBatch(sent);
    const batch = decodeRecordBatch(encoded);
    const start = extendChecksum(emptyChecksum(0), Buffer.from('12345'));
    const checksums = { start, end: extendChecksum(start, batch.data) };
    const planner = newPlanner();
    planner.add({ batch, encoded, endCheck: checkOf(batch.data), checksums });
    const [head, data] = planner.entries[0]?.payload ?? [];
    expect(data).toEqual({ bytes: batch.data, crc32: crc32(batch.data) });
    expect(Buffer.concat([head, data].map((part) => bytesOf(part ?? expect.fail())))).toEqual(encoded);
  });

  test('keeps the check of the last range only', () => {
    const [stream] = STREAMS as [StreamId];
    const planner = newPlanner();
    const late = incomingBatch(batchOf(stream, 50, [5]));
    planner.add(late);
    planner.add(incomingBatch(batchOf(stream, 0, [5])));
    expect(planner.streams.get(stream)?.endCheck).toBe(late.endCheck);
    const grown = incomingBatch(batchOf(stream, 55, [5]));
    planner.add(grown);
    expect(planner.streams.get(stream)?.endCheck).toBe(grown.endCheck);
  });

  const [stream] = STREAMS as [StreamId];
  const other = (batch: RecordBatch): RecordBatch => ({ ...batch, data: batch.data.map((byte) => byte ^ 1) });
  /** With the checksums of a collector whose bytes before the batch are these. */
  const checked = (batch: RecordBatch, before: Uint8Array, openedEnd = 0) => {
    const start = extendChecksum(emptyChecksum(0), before);
    const writer = { owner: { collectorId: 'anna', tlsSubject: undefined }, instance: 1n, openedEnd };
    return { ...incomingBatch(batch), checksums: { start, end: extendChecksum(start, batch.data) }, writer };
  };
  const bytesUpTo = (end: number) => batchOf(stream, 0, [end]).data;

  test('rejects a batch that continues other bytes, and adds nothing', () => {
    const planner = newPlanner();
    planner.add(checked(batchOf(stream, 0, [10]), Buffer.alloc(0)));
    const foreign = other(batchOf(stream, 0, [10])).data;
    expect(() => planner.add(checked(batchOf(stream, 10, [5]), foreign))).toThrow(OtherBytesError);
    expect(planner.kept).toEqual({ records: 1, bytes: 10 });
    planner.add(checked(batchOf(stream, 10, [5]), bytesUpTo(10)));
    expect(planner.streams.get(stream)?.checksum).toEqual(extendChecksum(emptyChecksum(0), bytesUpTo(15)));
  });

  test('compares the bytes of an overlap', () => {
    const planner = newPlanner();
    planner.add(checked(batchOf(stream, 0, [10]), Buffer.alloc(0)));
    expect(() => planner.add(checked(other(batchOf(stream, 4, [10])), bytesUpTo(4)))).toThrow(
      OtherBytesError,
    );
    planner.add(checked(batchOf(stream, 4, [10]), bytesUpTo(4)));
    expect(planner.kept.bytes).toBe(14);
  });

  test('accepts an overlap without an end in common only when the collector has compared that end', () => {
    const planner = newPlanner();
    planner.add(checked(batchOf(stream, 0, [10]), Buffer.alloc(0)));
    expect(() => planner.add(checked(batchOf(stream, 2, [3]), bytesUpTo(2), 5))).toThrow(OtherBytesError);
    planner.add(checked(batchOf(stream, 2, [3]), bytesUpTo(2), 10));
    expect(planner.repeatedBytes).toBe(3);
  });

  test('extends the checksum itself for a collector that sends none', () => {
    const planner = newPlanner();
    planner.add(incomingBatch(batchOf(stream, 0, [10])));
    planner.add(incomingBatch(batchOf(stream, 6, [10])));
    expect(planner.streams.get(stream)?.checksum).toEqual(extendChecksum(emptyChecksum(0), bytesUpTo(16)));
    expect(() => planner.add(checked(batchOf(stream, 16, [1]), Buffer.alloc(16)))).toThrow(OtherBytesError);
  });

  test('accepts checksums that begin elsewhere, and for a row without one', () => {
    const planner = newPlanner(rowOf([{ start: 0, end: 10 }]));
    const start = emptyChecksum(10);
    const each = batchOf(stream, 10, [5]);
    planner.add({ ...incomingBatch(each), checksums: { start, end: extendChecksum(start, each.data) } });
    expect(planner.streams.get(stream)?.checksum).toEqual(extendChecksum(start, each.data));
    planner.add(checked(batchOf(stream, 15, [5]), bytesUpTo(15)));
    expect(planner.streams.get(stream)?.checksum).toEqual(extendChecksum(emptyChecksum(0), bytesUpTo(20)));
  });

  test('rejects a batch of another collector in the same group', () => {
    const planner = newPlanner();
    planner.add(checked(batchOf(stream, 0, [10]), Buffer.alloc(0)));
    const next = checked(batchOf(stream, 10, [5]), bytesUpTo(10));
    const owner = { collectorId: 'eve', tlsSubject: undefined };
    expect(() => planner.add({ ...next, writer: { ...next.writer, owner } })).toThrow('another collector');
  });
});
