import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { prepareSchema } from '../../../src/emitters/duckdb/prepare-schema.ts';
import { Retention, type RetentionLimits } from '../../../src/emitters/duckdb/retention.ts';
import { runStatement } from '../../../src/emitters/duckdb/run-statement.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { deliver, never, query, startedOn, temporaryPath } from './emitting.ts';

const DAY_MS = 86_400_000;
const DAY_MICRO = DAY_MS * 1000;
const NOW = 20_000 * DAY_MICRO;

/** How many rows of how many days ago; stored in this order. */
async function storeWith(
  days: readonly (readonly [daysAgo: number, count: number])[],
): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(await temporaryPath());
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.disconnectSync();
    instance.closeSync();
  });
  await prepareSchema(connection);
  for (const [daysAgo, count] of days) {
    await connection.run(
      `insert into log_records (time, observed_time, format, body, stream, position)
        select make_timestamptz(0), make_timestamptz(${NOW - daysAgo * DAY_MICRO}), 'plain', md5(i::text), uuid(), i
        from range(${count}) as t(i)`,
    );
  }
  return connection;
}

async function count(connection: DuckDBConnection, table = 'log_records'): Promise<number> {
  const [row] = await runStatement(connection, { text: `select count(*) as n from ${table}`, values: [] });
  return Number(row?.n);
}

/** All steps of a round; answers how many rows each has deleted. */
async function round(connection: DuckDBConnection, limits: Partial<RetentionLimits>): Promise<number[]> {
  const retention = new Retention(connection, { ageMs: 0, sizeBytes: 0, ...limits });
  const steps: number[] = [];
  for (let isMore = true; isMore; ) {
    const step = await retention.step(NOW);
    steps.push(step.rows);
    isMore = step.isMore;
  }
  return steps;
}

describe('by age', () => {
  test('deletes records that were observed too long ago, in small steps', async () => {
    const connection = await storeWith([
      [40, 2500],
      [0, 300],
      [31, 100],
      [29, 300],
    ]);
    expect(await round(connection, { ageMs: 30 * DAY_MS, stepRows: 1000 })).toEqual([1000, 1000, 600]);
    expect(await count(connection)).toBe(600);
    expect(await round(connection, { ageMs: 30 * DAY_MS })).toEqual([0]);
  });

  test('deletes nothing without a limit', async () => {
    const connection = await storeWith([[4000, 10]]);
    expect(await round(connection, {})).toEqual([0]);
    expect(await count(connection)).toBe(10);
  });
});

describe('by size', () => {
  test('deletes the records that were stored first, and reuses their space', async () => {
    const connection = await storeWith([
      [9, 400_000],
      [1, 400_000],
    ]);
    await connection.run('checkpoint');
    const used = async () => {
      const [row] = await runStatement(connection, {
        text: 'select block_size * used_blocks as n from pragma_database_size()',
        values: [],
      });
      return Number(row?.n);
    };
    const before = await used();
    const steps = await round(connection, { sizeBytes: before / 2 });
    expect(steps.length).toBeGreaterThan(2);
    expect(await used()).toBeLessThanOrEqual(before / 2);
    const [oldest] = await runStatement(connection, {
      text: `select count(*) as n from log_records where observed_time < make_timestamptz(${NOW - 2 * DAY_MICRO})`,
      values: [],
    });
    expect(oldest).toEqual({ n: 0 });
    expect(await count(connection)).toBeGreaterThan(200_000);
  });

  test('does not change an empty store that is too large', async () => {
    const connection = await storeWith([]);
    await connection.run('checkpoint');
    expect(await round(connection, { sizeBytes: 1 })).toEqual([0]);
  });
});

test('deletes temporary data after a while', async () => {
  const connection = await storeWith([]);
  const hours = (n: number) => NOW - n * 3_600_000_000;
  for (const age of [0.5, 2, 24 * 3, 24 * 8, 24 * 801]) {
    const at = `make_timestamptz(${hours(age)})`;
    await connection.run(`insert into writers values (uuid(), 1, ${at})`);
    await connection.run(`insert into streams values (uuid(), '[[0,1]]', ${at})`);
    await connection.run(`insert into stored_ranges values (uuid(), 1, ${at}, uuid(), 0, 1, ${at}, ${at})`);
    await connection.run(`insert into touched_minutes values (uuid(), 1, ${at}, ${at})`);
  }
  await round(connection, {});
  expect(await count(connection, 'stored_ranges')).toBe(1);
  expect(await count(connection, 'touched_minutes')).toBe(2);
  expect(await count(connection, 'writers')).toBe(3);
  expect(await count(connection, 'streams')).toBe(4);
});

test('deletes between flushes, logs the number of rows, and does not store deleted records again', async () => {
  const clock = new FakeClock();
  const path = await temporaryPath();
  const { logger, lines: logs } = capturedLogger();
  const emitter = await startedOn(path, { retention_age: '24h' }, { clock, logger });
  const nowUnixNano = clock.nowUnixNano();
  const old = recordBatch(lines(50), { observedTimeUnixNano: nowUnixNano - BigInt(2 * DAY_MICRO) * 1000n });
  const young = recordBatch(lines(20), { observedTimeUnixNano: nowUnixNano });
  await deliver(emitter, old, young);
  const open = recordBatch(lines(5), { observedTimeUnixNano: nowUnixNano });
  await emitter.emit(batchOf([open]), never);
  await clock.advance(60_000);
  expect((await emitter.flush(never)).kind).toBe('delivered');
  await vi.waitFor(
    async () => expect(await query(emitter, 'select count(*) as n from log_records')).toEqual([{ n: 25 }]),
    10_000,
  );
  expect(logs).toContainEqual(expect.objectContaining({ rows: 50, why: 'age' }));
  await deliver(emitter, old);
  expect(await query(emitter, 'select count(*) as n from log_records')).toEqual([{ n: 25 }]);
});
