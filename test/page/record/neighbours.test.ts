import { expect, it } from 'vitest';
import {
  MAX_NEIGHBOURS,
  type Neighbours,
  withNewer,
  withOlder,
} from '../../../src/page/record/neighbours.ts';
import { mockRecord } from '../support/mock-records.ts';

const entries = (first: number, count: number) =>
  Array.from({ length: count }, (_, at) => mockRecord(first + at, 0, first + at));
const START: Neighbours = { entries: entries(1000, 10), base: 0, atStart: false, atEnd: false };

it('gives each entry a number that it keeps', () => {
  const older = withOlder(START, entries(990, 10), true);
  expect([older.base, older.entries[10]?.position, older.atStart]).toEqual([-10, 1000, true]);
  const newer = withNewer(older, entries(1010, 5), true);
  expect([newer.base, newer.entries.at(-1)?.position, newer.atEnd]).toEqual([-10, 1014, true]);
});

it('discards the other end when there are too many, and can load it again', () => {
  const full = withNewer(START, entries(1010, MAX_NEIGHBOURS), false);
  expect([full.entries.length, full.base, full.entries[0]?.position]).toEqual([MAX_NEIGHBOURS, 10, 1010]);
  const back = withOlder({ ...full, atEnd: true }, entries(1000, 10), false);
  expect([back.base, back.entries.length, back.atEnd]).toEqual([0, MAX_NEIGHBOURS, false]);
});
