import { DuckDBInstance } from '@duckdb/node-api';
import { expect, onTestFinished, test } from 'vitest';
import { prepareSchema } from '../../../src/emitters/duckdb/prepare-schema.ts';
import { runStatement } from '../../../src/emitters/duckdb/run-statement.ts';
import { TextSketches } from '../../../src/emitters/duckdb/text-sketches.ts';
import { TextSketch } from '../../../src/logstore/text/text-sketch.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { change, deliver, query, startedOn, temporaryPath } from './emitting.ts';

const MINUTE = 60_000_000;
const RANGES = 'select epoch_us(range_start) as start from text_sketches where page = 0 order by 1';

/** A sketch without bits, which excludes each text. */
async function withSketches(...starts: readonly number[]) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.disconnectSync();
    instance.closeSync();
  });
  await prepareSchema(connection);
  const sketches = new TextSketches(connection);
  for (const start of starts) {
    await sketches.add({ fromUnixMicro: start, toUnixMicro: start + 10 * MINUTE }, new TextSketch());
  }
  const stored = async () =>
    (await runStatement(connection, { text: RANGES, values: [] })).map(({ start }) => start);
  return { connection, sketches, stored };
}

test('a flush deletes the sketches of its minutes, and no others', async () => {
  const { connection, sketches, stored } = await withSketches(0, 20 * MINUTE, 40 * MINUTE);
  await connection.run('begin transaction');
  await sketches.invalidate([15, 25, 26, 200]);
  await connection.run('commit');
  sketches.committed();
  expect(await stored()).toEqual([0, 40 * MINUTE]);
  expect([...(await sketches.ranges())].map(({ fromUnixMicro }) => fromUnixMicro)).toEqual([0, 40 * MINUTE]);
});

test('a flush that is rolled back keeps them, and the next one deletes them', async () => {
  const { connection, sketches, stored } = await withSketches(0);
  await connection.run('begin transaction');
  await sketches.invalidate([3]);
  sketches.rolledBack();
  await connection.run('rollback');
  expect(await stored()).toEqual([0]);
  await connection.run('begin transaction');
  await sketches.invalidate([3]);
  await connection.run('commit');
  expect(await stored()).toEqual([]);
});

test('a sketch is stored completely, or not at all', async () => {
  const { connection, sketches, stored } = await withSketches();
  await connection.run('alter table text_sketches rename to hidden');
  const range = { fromUnixMicro: 0, toUnixMicro: 1 };
  await expect(sketches.add(range, new TextSketch())).rejects.toThrow();
  await connection.run('alter table hidden rename to text_sketches');
  expect(await stored()).toEqual([]);
  await sketches.add(range, new TextSketch());
  expect(
    await runStatement(connection, { text: 'select count(*) as n from text_sketches', values: [] }),
  ).toEqual([{ n: 64 }]);
});

test('a late record is found in a time range that had a sketch, also after a restart', async () => {
  const path = await temporaryPath();
  const first = await startedOn(path);
  await deliver(first, recordBatch(['first\n']));
  const [row] = await query(first, 'select epoch_us(min(time)) as time from log_records');
  const time = Number(row?.time);
  await first.stop(AbortSignal.timeout(10_000));
  const around = (offset: number) => `insert into text_sketches
    select make_timestamptz(${time + offset - MINUTE}), make_timestamptz(${time + offset + MINUTE}), page, repeat('0', 16384)::bit
    from range(64) as pages (page)`;
  await change(path, [around(0), around(3_600_000_000)]);

  const second = await startedOn(path);
  expect(await query(second, RANGES)).toHaveLength(2);
  await deliver(second, recordBatch(['first\n', 'second\n']));
  expect(await query(second, RANGES)).toEqual([{ start: time + 3_600_000_000 - MINUTE }]);
});
