import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { parseDuckDbConfiguration } from '../../../src/emitters/duckdb/configuration.ts';
import { ROW_GROUP_ROWS, StoreFile } from '../../../src/emitters/duckdb/store-file.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { COUNT, change, deliver, query, startedOn, temporaryPath } from './emitting.ts';

/** The number of rows in each unit of the file, in order. */
async function rowsOfGroups(path: string): Promise<readonly number[]> {
  const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const result = await connection.runAndReadAll(
    `select sum(count) as rows_of_group from pragma_storage_info('log_records')
      where column_name = 'position' and segment_type = 'BIGINT' group by row_group_id order by row_group_id`,
  );
  const groups = result.getRows().map(([rows]) => Number(rows));
  connection.closeSync();
  instance.closeSync();
  return groups;
}

function numbered(count: number, first = 0) {
  const records = Array.from({ length: count }, (_, index) => `${String(first + index).padStart(7, '0')}\n`);
  return recordBatch(records, { stream: STREAM, start: first * 8 });
}

const STREAM = recordBatch(['x']).stream;

test('compresses and writes rows in units of half the default size', async () => {
  const path = await temporaryPath();
  const emitter = await startedOn(path);
  await deliver(emitter, numbered(2 * ROW_GROUP_ROWS + 1000));
  await emitter.stop(AbortSignal.timeout(30_000));
  expect(await rowsOfGroups(path)).toEqual([ROW_GROUP_ROWS, ROW_GROUP_ROWS, 1000]);
});

test('continues a file of an earlier version, whose units are larger', async () => {
  const path = await temporaryPath();
  const first = await startedOn(path);
  await first.stop(AbortSignal.timeout(30_000));
  const earlier = 150_000;
  await change(path, [
    `insert into log_records (time, observed_time, body, stream, position, format)
      select make_timestamptz(0), make_timestamptz(0), printf('%07d', n), '${STREAM}'::uuid, n * 8, 'plain'
      from range(${earlier}) as numbers(n)`,
    `insert into streams values ('${STREAM}'::uuid, '[[0,${earlier * 8}]]', make_timestamptz(0))`,
    'checkpoint',
  ]);
  expect((await rowsOfGroups(path))[0]).toBe(2 * ROW_GROUP_ROWS);
  const emitter = await startedOn(path);
  await deliver(emitter, numbered(ROW_GROUP_ROWS, earlier - 10));
  const total = earlier - 10 + ROW_GROUP_ROWS;
  expect(await query(emitter, COUNT)).toEqual([{ n: total, distinct_n: total }]);
  await emitter.stop(AbortSignal.timeout(30_000));
  await change(path, ['checkpoint']);
  const reopened = await startedOn(path);
  expect(await query(reopened, COUNT)).toEqual([{ n: total, distinct_n: total }]);
  expect(await query(reopened, 'select min(body) as first, max(body) as last from log_records')).toEqual([
    { first: '0000000', last: String(total - 1).padStart(7, '0') },
  ]);
});

test('opens a file whose path has quotes', async () => {
  const path = join(await temporaryDirectory(), `it's "quoted".duckdb`);
  const emitter = await startedOn(path);
  await deliver(emitter, numbered(3));
  await emitter.stop(AbortSignal.timeout(30_000));
  expect(await rowsOfGroups(path)).toEqual([3]);
});

test('permits no statement to read or write outside of the file', async () => {
  const path = await temporaryPath();
  const [configured] = parseDuckDbConfiguration(JSON.stringify({ path }));
  if (configured === undefined) throw new Error('No emitter is configured.');
  const file = await StoreFile.open(path, configured.configuration);
  const { connection } = await file.connect();
  for (const statement of [
    `attach '${path}.other' as other`,
    "select * from read_text('/etc/hostname')",
    `copy log_records to '${path}.csv'`,
    'set global enable_external_access = true',
    'detach store',
  ])
    await expect(connection.run(statement), statement).rejects.toThrow();
  file.close();
});
