import { expect, test } from 'vitest';
import { KnownRecords } from '../../../src/emitters/clickhouse/known-records.ts';
import { endOf, type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
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
  expect(known.areUncertain([part(0, 1)])).toBe(true);
  known.stored([rangeOf(part(0, 1))], 49);
  expect(known.areUncertain([part(1, 2)])).toBe(true);
  known.stored([rangeOf(part(1, 2))], 1);
  expect(known.areUncertain([part(2, 3)])).toBe(false);
});

test('is uncertain about the records of a failed flush until they are stored, however they are cut', () => {
  const known = new KnownRecords(0);
  known.failed([rangeOf(part(2, 6))]);
  expect(known.areUncertain([part(0, 2)])).toBe(false);
  expect(known.areUncertain([part(0, 3)])).toBe(true);
  expect(known.areUncertain([part(5, 9)])).toBe(true);
  known.stored([rangeOf(part(2, 5))], 0);
  expect(known.areUncertain([part(5, 9)])).toBe(true);
  known.stored([rangeOf(part(5, 9))], 0);
  expect(known.areUncertain([part(2, 10)])).toBe(false);
});

test('leaves out records of an earlier part of the same flush until the flush has failed', () => {
  const known = new KnownRecords(0);
  expect(countOf(known.cut([part(0, 4)]))).toBe(4);
  expect(countOf(known.cut([part(2, 6)]))).toBe(2);
  known.failed([rangeOf(part(0, 6))]);
  expect(countOf(known.cut([part(0, 6)]))).toBe(6);
});
