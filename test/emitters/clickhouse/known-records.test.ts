import { expect, test } from 'vitest';
import { KnownRecords } from '../../../src/emitters/clickhouse/known-records.ts';
import { endOf, type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
import type { StreamId } from '../../../src/records/stream-id.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const batch = recordBatch(lines(10));
const part = (from: number, to: number) => sliceRecords(batch, from, to);
const rangeOf = (slice: RecordBatch) => ({ stream: slice.stream, start: slice.start, end: endOf(slice) });
const countOf = (pieces: readonly RecordBatch[]) => pieces.reduce((sum, { sizes }) => sum + sizes.length, 0);

test('leaves out stored records and repetitions within a flush', () => {
  const known = new KnownRecords(0);
  expect(countOf(known.cut([part(0, 4), part(2, 6)]))).toBe(6);
  known.stored([rangeOf(part(0, 6))], 0);
  expect(countOf(known.cut([part(4, 10)]))).toBe(4);
  expect(known.cut([part(1, 5)])).toEqual([]);
});

test('is uncertain about the first bytes after a start, and not about later ones', () => {
  const known = new KnownRecords(50);
  expect(known.uncertainOf([part(0, 1)])).toHaveLength(1);
  known.stored([rangeOf(part(0, 1))], 49);
  expect(known.uncertainOf([part(1, 2)])).toHaveLength(1);
  known.stored([rangeOf(part(1, 2))], 1);
  expect(known.uncertainOf([part(2, 3)])).toEqual([]);
});

test('is certain about a stream from the end of its stored records, once this end was found', () => {
  const known = new KnownRecords(1000);
  const other = recordBatch(lines(1), { stream: '22222222222222222222222222222222' as StreamId });
  known.found(new Map([[batch.stream, part(4, 5).start]]));
  expect(known.uncertainOf([part(2, 4), part(4, 6), other])).toEqual([part(2, 4), other]);
  expect(known.uncertainOf([part(3, 5)])).toHaveLength(1);
  known.failed([rangeOf(part(6, 7))]);
  expect(known.uncertainOf([part(4, 6), part(6, 8)])).toEqual([part(6, 8)]);
});

test('is uncertain about the records of a failed flush until they are stored, however they are cut', () => {
  const known = new KnownRecords(0);
  known.failed([rangeOf(part(2, 6))]);
  expect(known.uncertainOf([part(0, 2)])).toEqual([]);
  expect(known.uncertainOf([part(0, 3)])).toHaveLength(1);
  expect(known.uncertainOf([part(5, 9)])).toHaveLength(1);
  known.stored([rangeOf(part(2, 5))], 0);
  expect(known.uncertainOf([part(5, 9)])).toHaveLength(1);
  known.stored([rangeOf(part(5, 9))], 0);
  expect(known.uncertainOf([part(2, 10)])).toEqual([]);
});

test('leaves out records of an earlier part of the same flush until the flush has failed', () => {
  const known = new KnownRecords(0);
  expect(countOf(known.cut([part(0, 4)]))).toBe(4);
  expect(countOf(known.cut([part(2, 6)]))).toBe(2);
  known.failed([rangeOf(part(0, 6))]);
  expect(countOf(known.cut([part(0, 6)]))).toBe(6);
});
