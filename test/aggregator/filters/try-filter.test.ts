import { expect, it } from 'vitest';
import { lastRecords, tryFilter } from '../../../src/aggregator/filters/try-filter.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const FILES = { directory: '/nonexistent' };
const RECORDS = lastRecords([recordBatch(lines(2))], 10);

it('returns each record before and after the filter, with the lines that ran', async () => {
  const text = 'drop if body == "line 0"\nbody := "changed"';
  const { problems, records } = await tryFilter(text, RECORDS, FILES);
  expect(problems).toEqual([]);
  expect(records).toMatchObject([
    { before: { body: 'line 0' }, after: [], lines: [1] },
    { before: { body: 'line 1' }, after: [{ body: 'changed' }] },
  ]);
});

it('returns the mistakes of a filter with their places', async () => {
  const { problems, records } = await tryFilter('drop\ndrop if', RECORDS, FILES);
  expect(problems).toMatchObject([{ line: 2 }]);
  expect(records).toEqual([]);
});

it('reads the newest records of several entries, in their order', () => {
  const newest = recordBatch(['c\n', 'd\n']);
  const before = recordBatch(['a\n', 'b\n']);
  expect(lastRecords([newest, before], 3).map(({ body }) => body)).toEqual(['b', 'c', 'd']);
});
