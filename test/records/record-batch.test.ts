import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peerOf } from '../../src/records/peer-column.ts';
import {
  endOf,
  forEachRecord,
  offsetOfRecord,
  type RecordBatch,
  sliceBytes,
  sliceRecords,
} from '../../src/records/record-batch.ts';
import { arbitraryBatch } from '../support/arbitrary-batches.ts';
import { recordBatch } from '../support/record-batches.ts';

function recordsOf(batch: RecordBatch): string[] {
  const records: string[] = [];
  forEachRecord(batch, (bytes) => records.push(Buffer.from(bytes).toString('latin1')));
  return records;
}

const sum = (sizes: Uint32Array) => sizes.reduce((total, size) => total + size, 0);

describe('slicing by records', () => {
  it('cuts a batch into pieces that put together are the batch', () => {
    fc.assert(
      fc.property(arbitraryBatch, fc.nat(), (batch, at) => {
        const cut = at % (batch.sizes.length + 1);
        const [head, tail] = [sliceRecords(batch, 0, cut), sliceRecords(batch, cut, batch.sizes.length)];
        expect([...recordsOf(head), ...recordsOf(tail)]).toEqual(recordsOf(batch));
        if (cut > 0) expect(endOf(head)).toBe(tail.start);
        const marks = [...head.marks, ...tail.marks.map(({ index, mark }) => ({ index: index + cut, mark }))];
        expect(marks).toEqual(batch.marks);
      }),
    );
  });

  it('copies nothing', () => {
    const batch = recordBatch(['a\n', 'b\n', 'c\n']);
    expect(sliceRecords(batch, 1, 2).data.buffer).toBe(batch.data.buffer);
    expect(sliceRecords(batch, 0, 3)).toBe(batch);
  });

  it('knows where records begin', () => {
    const batch = recordBatch(['a\n', 'bcd\n', 'e\n']);
    expect([0, 1, 2, 3, 9].map((index) => offsetOfRecord(batch, index))).toEqual([0, 2, 6, 8, 8]);
    expect(offsetOfRecord(batch, 2, 1, 2)).toBe(6);
  });
});

describe('slicing by bytes', () => {
  it('returns exactly the requested bytes, in records of the same total size', () => {
    fc.assert(
      fc.property(arbitraryBatch, fc.nat(), fc.nat(), (batch, a, b) => {
        const [from, to] = [a % (batch.data.length + 1), b % (batch.data.length + 1)].sort(
          (x, y) => x - y,
        ) as [number, number];
        const piece = sliceBytes(batch, batch.start + from, batch.start + to);
        expect(Buffer.compare(piece.data, batch.data.subarray(from, to))).toBe(0);
        expect(sum(piece.sizes)).toBe(to - from);
        expect(piece.sizes.every((size) => size > 0)).toBe(true);
        if (to > from) expect(piece.start).toBe(batch.start + from);
      }),
    );
  });

  it('cuts a record at the edge, and marks it', () => {
    const piece = sliceBytes(recordBatch(['hello\n', 'world\n'], { start: 100 }), 103, 108);
    expect(recordsOf(piece)).toEqual(['lo\n', 'wo']);
    expect(piece.marks).toEqual([{ index: 1, mark: 'cut' }]);
    expect(piece.start).toBe(103);
  });

  it('keeps the mark of a record that it does not cut', () => {
    const batch = recordBatch(['a\n', 'b'], { marks: [{ index: 1, mark: 'unterminated' }] });
    expect(sliceBytes(batch, 2, 3).marks).toEqual([{ index: 0, mark: 'unterminated' }]);
  });

  it('returns the batch itself when all of it is requested', () => {
    const batch = recordBatch(['a\n']);
    expect(sliceBytes(batch, 0, 99)).toBe(batch);
  });

  it('cuts the peer column along', () => {
    const peers = [new Map([['a', '1']]), new Map([['a', '2']])];
    const batch = {
      ...recordBatch(['hello\n', 'world\n', 'x\n'], { start: 100 }),
      peers,
      recordPeers: Uint32Array.of(1, 0, 2),
    };
    expect(sliceRecords(batch, 1, 3)).toMatchObject({ peers, recordPeers: Uint32Array.of(0, 2) });
    expect(sliceBytes(batch, 103, 108)).toMatchObject({ peers, recordPeers: Uint32Array.of(1, 0) });
    expect(sliceBytes(batch, 106, 113).recordPeers).toEqual(Uint32Array.of(0, 2));
    expect(peerOf(sliceRecords(batch, 2, 3), 0)).toBe(peers[1]);
  });
});
