import { beforeAll, describe, expect, test } from 'vitest';
import type { PostgresEmitter } from '../../../src/emitters/postgres/postgres-emitter.ts';
import { dialectOf } from '../../../src/logstore/sql/dialect-of.ts';
import { type Sql, sql, statement } from '../../../src/logstore/sql/sql.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { MISSING, PostgresStand, store } from './postgres-stand.ts';

const READ = { timeoutMs: 10_000, isReadOnly: true };
const WRITE = { timeoutMs: 10_000 };

describe.skipIf(MISSING !== '')(`The database of a PostgreSQL emitter${MISSING}`, () => {
  const stand = PostgresStand.forSuite({ max_connections: '20' });
  let database: string;
  beforeAll(async () => {
    database = await stand.createDatabase();
  });

  const opened = (settings: Readonly<Record<string, unknown>> = {}) =>
    stand.emitter({ database, ...settings });

  const run = ({ database: asked }: PostgresEmitter, ...queries: readonly Sql[]) =>
    asked.run(queries.map(statement), WRITE);

  test('returns only numbers, texts and booleans', async () => {
    const emitter = await opened();
    const [rows] = await emitter.database.run(
      [
        statement(sql`select 1::smallint as a, 2::int as b, ${3}::bigint as c, 1.5::numeric as d, 2.5::float8 as e,
          true as f, null as g, ${'text'}::text as h, '{"a": [1, 2]}'::jsonb as i, ${0.25}::float8 as j,
          'c0ffee00-0000-4000-8000-000000000000'::uuid as k, count(*) as l`),
      ],
      READ,
    );
    expect(rows).toEqual([
      {
        a: 1,
        b: 2,
        c: 3,
        d: 1.5,
        e: 2.5,
        f: true,
        g: null,
        h: 'text',
        i: '{"a": [1, 2]}',
        j: 0.25,
        k: 'c0ffee00-0000-4000-8000-000000000000',
        l: 1,
      },
    ]);
  });

  test('sees the tables before anything was written, and times in UTC', async () => {
    const emitter = await stand.emitter({ database: await stand.createDatabase() });
    const [rows, zone] = await run(
      emitter,
      sql`select count(*) as rows from log_records`,
      sql`select current_setting('timezone') as zone, current_setting('search_path') as path`,
    );
    expect(rows).toEqual([{ rows: 0 }]);
    expect(zone).toEqual([{ zone: 'UTC', path: 'mega_collector' }]);
  });

  test('finds text and compiles no plan, whatever the database is set to', async () => {
    const name = await stand.createDatabase();
    for (const setting of ['standard_conforming_strings = off', 'jit = on', 'extra_float_digits = -10']) {
      await stand.server.sql(`alter database ${name} set ${setting}`);
    }
    const emitter = await stand.emitter({ database: name });
    await store(emitter, recordBatch(['it\\s 100% here\n']));
    const dialect = dialectOf('postgres');
    const [found, jit, third] = await run(
      emitter,
      sql`select body from log_records where ${dialect.containsText(sql`body`, '\\S 100%')}`,
      sql`select current_setting('jit') as jit`,
      sql`select 1::float8 / 3 as third`,
    );
    expect(found).toEqual([{ body: 'it\\s 100% here' }]);
    expect(jit).toEqual([{ jit: 'off' }]);
    expect(third).toEqual([{ third: 1 / 3 }]);
  });

  test('runs the statements of one call all or none', async () => {
    const emitter = await opened();
    const add = sql`insert into leases values (${'all-or-none'}, 'me', now())`;
    await expect(run(emitter, add, add)).rejects.toMatchObject({ name: 'SqlError', kind: 'constraint' });
    expect(await run(emitter, sql`select name from leases where name = ${'all-or-none'}`)).toEqual([[]]);
  });

  test('rejects writes in a read-only call', async () => {
    const emitter = await opened();
    const asked = emitter.database.run([statement(sql`delete from leases`)], READ);
    await expect(asked).rejects.toMatchObject({ kind: 'statement' });
  });

  test.each([
    ['a table that is not there', sql`select * from nothing`, 'statement'],
    ['a value that is none', sql`select ${'many'}::int`, 'statement'],
    ['a division by zero', sql`select 1 / ${0}::int`, 'statement'],
  ] as const)('says of %s what it is', async (_, query, kind) => {
    await expect(run(await opened(), query)).rejects.toMatchObject({ name: 'SqlError', kind });
  });

  test('cancels slow statements in the database as well', async () => {
    const emitter = await opened();
    const asked = emitter.database.run([statement(sql`select pg_sleep(20)`)], { timeoutMs: 200 });
    await expect(asked).rejects.toMatchObject({ kind: 'timeout' });
    const client = await stand.client(database);
    const { rows } =
      await client.query(`select query from pg_stat_activity where query like '%pg_sleep(20)' and state = 'active'
      and pid <> pg_backend_pid()`);
    expect(rows).toEqual([]);
  });

  test('treats parameters as values', async () => {
    const emitter = await opened();
    const hostile = `'; drop table log_records; --\\"$1`;
    const [rows] = await run(emitter, sql`select ${hostile}::text as said`);
    expect(rows).toEqual([{ said: hostile }]);
  });

  test('shows one state to all statements of a call', async () => {
    const emitter = await opened();
    const asked = run(
      emitter,
      sql`select count(*) as rows from log_records`,
      sql`select pg_sleep(1)`,
      sql`select count(*) as rows from log_records`,
    );
    await store(emitter, recordBatch(['meanwhile\n']));
    const [before, , after] = await asked;
    expect(after).toEqual(before);
  });

  test('runs many queries at once while the emitter writes', async () => {
    const emitter = await opened();
    const asked = Array.from({ length: 40 }, () => run(emitter, sql`select 1 as one`));
    await store(emitter, recordBatch(['another\n']));
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 40 }, () => [[{ one: 1 }]]));
  });

  test('rejects calls above the limit as busy', async () => {
    const emitter = await opened();
    await run(emitter, sql`select 1`);
    const asked = Array.from({ length: 100 }, () =>
      emitter.database.run([statement(sql`select pg_sleep(0.1)`)], { timeoutMs: 20_000 }).then(
        () => 'answered',
        (error: { kind: string }) => error.kind,
      ),
    );
    const answers = await Promise.all(asked);
    expect(new Set(answers)).toEqual(new Set(['answered', 'busy']));
    expect(answers.filter((answer) => answer === 'answered').length).toBeGreaterThanOrEqual(64);
  });

  test('is unavailable when the server is unreachable', async () => {
    const emitter = await opened({ host: '/nonexistent' });
    await expect(run(emitter, sql`select 1`)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('is unavailable when the emitter is stopped', async () => {
    const emitter = await opened();
    await emitter.stop(AbortSignal.timeout(5000));
    await expect(run(emitter, sql`select 1`)).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
