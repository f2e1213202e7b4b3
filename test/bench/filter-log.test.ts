import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type FilteredRecord,
  FilteredRecordsCounter,
  writeFilterLog,
} from '../../bench/filters/filter-log.ts';
import { compareFiltered } from '../../bench/filters/filtered-output.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const RECORDS: readonly FilteredRecord[] = [
  { path: '/a', status: 200, isMarked: false },
  { path: '/b', status: 500, isMarked: true },
  { path: '/c', status: 404, isMarked: false },
];

function counted(records: readonly FilteredRecord[]) {
  const counter = new FilteredRecordsCounter();
  for (const record of records) counter.add(record);
  return counter.result();
}

async function compare(output: readonly FilteredRecord[]): Promise<string | undefined> {
  const path = join(await temporaryDirectory(), 'output.log');
  await writeFile(path, output.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return await compareFiltered(path, counted(RECORDS), (line) => line as FilteredRecord);
}

test('the log of the filters has health checks, and its expected records are the other lines', async () => {
  const path = join(await temporaryDirectory(), 'access.log');
  const { bytes, lines, expected } = await writeFilterLog(path, 1);
  const found = (await readFile(path, 'latin1')).trimEnd().split('\n');
  const kept = found.filter((line) => !line.includes('"GET /health') && !line.includes('"POST /health'));
  expect(found.length).toBe(lines);
  expect(bytes).toBe((await readFile(path)).length);
  expect(kept.length).toBe(expected.records);
  expect(kept.length).toBeLessThan(lines);
  expect(kept.filter((line) => line.includes('" 500 ')).length).toBe(expected.marked);
  expect(expected.marked).toBeGreaterThan(0);
});

test('an output with the expected records is correct', async () => {
  expect(await compare(RECORDS)).toBeUndefined();
});

test('a comparison finds records that are missing, not dropped, or duplicated', async () => {
  expect(await compare(RECORDS.slice(1))).toBe('2 records instead of 3');
  expect(await compare([...RECORDS, { path: '/health', status: 200, isMarked: false }])).toBe(
    '4 records instead of 3',
  );
});

test('a comparison finds a mark that is missing or at another record', async () => {
  const unmarked = RECORDS.map((record) => ({ ...record, isMarked: false }));
  const inverted = RECORDS.map((record) => ({ ...record, isMarked: record.path === '/c' }));
  expect(await compare(unmarked)).toBe('0 marked records instead of 1');
  expect(await compare(inverted)).toBe('records are changed or in another order');
});

test('a comparison finds a changed path', async () => {
  expect(await compare(RECORDS.map((record) => ({ ...record, path: record.path.toUpperCase() })))).toBe(
    'records are changed or in another order',
  );
});
