import { describe, expect, test } from 'vitest';
import type { SqlValue } from '../../../src/logstore/sql/sql.ts';
import type { SqlRow } from '../../../src/logstore/sql/sql-database.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { COUNT, deliver, emitterOn, never, query, startedOn, temporaryPath } from './emitting.ts';

const ENDLESS = 'select count(*) as n from range(1000000000000) as t(i) where hash(i) % 7 = 3';

type Emitter = ReturnType<typeof emitterOn>;

async function run(
  emitter: Emitter,
  texts: readonly string[],
  values: readonly SqlValue[] = [],
  isReadOnly = false,
): Promise<readonly (readonly SqlRow[])[]> {
  const statements = texts.map((text) => ({ text, values }));
  return await emitter.database.run(statements, { timeoutMs: 10_000, isReadOnly });
}

describe('results', () => {
  test('are plain values of any type', async () => {
    const emitter = await startedOn(await temporaryPath());
    const [rows] = await run(emitter, [
      `select 1::tinyint as a, 2::bigint as b, 3::hugeint as c, 4.5::double as d, 5.25::decimal(9, 2) as e, true as f,
        null as g, 'text' as h, '{"x": 1}'::json as i, 'aabbccdd-0000-0000-0000-000000000000'::uuid as j, 6.5::float as k,
        sum(7) as l, count(*) as m, 9007199254740991 as n`,
    ]);
    expect(rows).toEqual([
      {
        a: 1,
        b: 2,
        c: 3,
        d: 4.5,
        e: 5.25,
        f: true,
        g: null,
        h: 'text',
        i: '{"x": 1}',
        j: 'aabbccdd-0000-0000-0000-000000000000',
        k: 6.5,
        l: 7,
        m: 1,
        n: Number.MAX_SAFE_INTEGER,
      },
    ]);
    expect(structuredClone(rows)).toEqual(rows);
  });

  test('values are never part of the statement', async () => {
    const emitter = await startedOn(await temporaryPath());
    const evil = "'; drop table log_records; --";
    const [rows] = await run(
      emitter,
      ['select $1 as a, $2 + 1 as b, $3 as c, $4 as d, $5 as e'],
      [evil, 41, null, true, 0.5],
    );
    expect(rows).toEqual([{ a: evil, b: 42, c: null, d: true, e: 0.5 }]);
    await query(emitter, COUNT);
  });
});

describe('a run', () => {
  test('is one transaction, all or nothing', async () => {
    const emitter = await startedOn(await temporaryPath());
    const insert = "insert into metrics (id, definition, created_at) values ('a', '{}', make_timestamptz(0))";
    await expect(run(emitter, [insert, 'select none_such from metrics'])).rejects.toMatchObject({
      kind: 'statement',
    });
    const results = await run(emitter, [insert, 'select id from metrics', 'delete from metrics']);
    expect(results[1]).toEqual([{ id: 'a' }]);
    expect(await query(emitter, 'select count(*) as n from metrics')).toEqual([{ n: 0 }]);
  });

  test('classifies the failure', async () => {
    const emitter = await startedOn(await temporaryPath());
    const insert = "insert into metrics (id, definition, created_at) values ('a', '{}', make_timestamptz(0))";
    await run(emitter, [insert]);
    await expect(run(emitter, [insert])).rejects.toMatchObject({ kind: 'constraint' });
    await expect(run(emitter, ['selec 1'])).rejects.toMatchObject({ kind: 'statement' });
    await expect(run(emitter, ["select 'x'::integer"])).rejects.toMatchObject({ kind: 'statement' });
    await expect(run(emitter, ['delete from metrics'], [], true)).rejects.toMatchObject({
      kind: 'statement',
    });
    await expect(query(emitter, ENDLESS, 100)).rejects.toMatchObject({ kind: 'timeout' });
    expect(await query(emitter, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  test('is rejected as busy if another transaction changes the same rows', async () => {
    const emitter = await startedOn(await temporaryPath());
    await run(emitter, ["insert into leases values ('x', 'nobody', make_timestamptz(0))"]);
    const update = (holder: string) => [
      `update leases set holder = '${holder}'`,
      'select count(*) as n from range(30000000) as t(i) where hash(i) % 7 = 3',
    ];
    const outcomes = await Promise.allSettled([run(emitter, update('a')), run(emitter, update('b'))]);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failed).toHaveLength(1);
    expect(failed[0]?.reason).toMatchObject({ kind: 'busy' });
  });

  test.each([
    "attach '/tmp/other.duckdb'",
    "copy (select 1) to '/tmp/out.csv'",
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    'install httpfs',
    'load httpfs',
    "export database '/tmp/all'",
    "set memory_limit = '10GB'",
    "set TimeZone = 'America/New_York'",
    'pragma enable_external_access = true',
  ])('reaches nothing outside: %s', async (text) => {
    const emitter = await startedOn(await temporaryPath());
    await expect(run(emitter, [text])).rejects.toMatchObject({ kind: 'statement' });
  });

  test('queues a limited number of queries; others are rejected as busy', async () => {
    const emitter = await startedOn(await temporaryPath());
    const runs = Array.from({ length: 200 }, () => query(emitter, ENDLESS, 500));
    const outcomes = await Promise.allSettled(runs);
    const kinds = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { kind: string }).kind : 'done',
    );
    expect(kinds.filter((kind) => kind === 'busy')).toHaveLength(200 - 2 - 64);
    expect(kinds.filter((kind) => kind === 'timeout')).toHaveLength(2 + 64);
    expect(await query(emitter, 'select 1 as n')).toEqual([{ n: 1 }]);
  });
});

test('slow queries do not delay a flush', async () => {
  const emitter = await startedOn(await temporaryPath());
  const slow = [query(emitter, ENDLESS, 3000), query(emitter, ENDLESS, 3000)].map((each) =>
    each.catch((error: { kind: string }) => error.kind),
  );
  let isOver = false;
  void Promise.all(slow).then(() => {
    isOver = true;
  });
  const batch = recordBatch(lines(1000));
  await deliver(emitter, batch);
  await deliver(emitter, recordBatch(lines(1000)));
  expect(isOver).toBe(false);
  expect(await Promise.all(slow)).toEqual(['timeout', 'timeout']);
  expect(await query(emitter, COUNT)).toEqual([{ n: 2000, distinct_n: 2000 }]);
});

test('a stop ends running queries and closes everything', async () => {
  const emitter = await startedOn(await temporaryPath());
  await emitter.emit(batchOf([recordBatch(lines(10))]), never);
  const running = query(emitter, ENDLESS, 60_000).catch((error: { kind: string }) => error.kind);
  await query(emitter, 'select 1');
  await emitter.stop(AbortSignal.timeout(10_000));
  expect(await running).toBe('unavailable');
  await expect(query(emitter, 'select 1')).rejects.toMatchObject({ kind: 'unavailable' });
});

test('rejects queries before the start', async () => {
  const emitter = emitterOn(await temporaryPath());
  await expect(query(emitter, 'select 1')).rejects.toMatchObject({ kind: 'unavailable' });
});
