import { describe, expect, test } from 'vitest';
import { ATTRIBUTE_COLUMNS, LOG_COLUMNS } from '../../src/logstore/log-columns.ts';
import { isLogsViewOutdated } from '../../src/logstore/logs-view.ts';
import { change, deliver, query, startedOn, temporaryPath } from '../emitters/duckdb/emitting.ts';
import { MISSING, PostgresStand, soon, store } from '../emitters/postgres/postgres-stand.ts';
import { recordBatch } from '../support/record-batches.ts';

const LINE = '::1 - - [20/Nov/2026:11:00:00 +0000] "GET /a HTTP/1.1" 503 12 "-" "x"\n';
const ACCESS = { format: 'combined', resource: new Map<string, string>() };

/** As the first version created it. */
const FIRST_VIEW = `create view logs as select time, observed_time, severity_number, severity_text, host, service, source,
  format, body, attributes, stream, position from log_records`;
const COLUMNS = `select column_name as name from information_schema.columns where table_name = 'logs'
  order by ordinal_position`;
const TYPED = 'select url_path, http_response_status_code, http_response_body_size from logs';
const FOUND = { url_path: '/a', http_response_status_code: 503, http_response_body_size: 12 };

/** The columns that the first view had stay where they were. */
const VIEW_COLUMNS = [
  ...LOG_COLUMNS.slice(0, -ATTRIBUTE_COLUMNS.length),
  ...ATTRIBUTE_COLUMNS.map((each) => each.column),
];

describe('the view logs in DuckDB', () => {
  test('has the typed columns in a new file', async () => {
    const emitter = await startedOn(await temporaryPath());
    await deliver(emitter, recordBatch([LINE], ACCESS));
    expect(await query(emitter, TYPED)).toEqual([FOUND]);
    expect((await query(emitter, COLUMNS)).map(({ name }) => name)).toEqual(VIEW_COLUMNS);
  });

  test('of an earlier version gets them when the file is opened', async () => {
    const path = await temporaryPath();
    const first = await startedOn(path);
    await first.stop(soon());
    await change(path, ['drop view logs', FIRST_VIEW]);
    const emitter = await startedOn(path);
    expect((await query(emitter, COLUMNS)).map(({ name }) => name)).toEqual(VIEW_COLUMNS);
  });

  test('of a later version is kept', async () => {
    const path = await temporaryPath();
    await (await startedOn(path)).stop(soon());
    await change(path, [
      'create or replace view logs as select time, body, 1 as later from log_records',
      "comment on view logs is 'mega-collector view 99'",
    ]);
    const emitter = await startedOn(path);
    expect((await query(emitter, COLUMNS)).map(({ name }) => name)).toEqual(['time', 'body', 'later']);
  });
});

describe.skipIf(MISSING !== '')(`the view logs in PostgreSQL${MISSING}`, () => {
  const stand = PostgresStand.forSuite();
  const names = async (database: string) => {
    const { rows } = await (await stand.client(database)).query<{ name: string }>(COLUMNS);
    return rows.map(({ name }) => name);
  };

  async function withView(statements: string): Promise<string> {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database });
    await store(emitter, recordBatch([LINE], ACCESS));
    await emitter.stop(soon());
    await stand.server.sql(`set search_path = mega_collector; ${statements}`, { database });
    return database;
  }

  async function startAgain(database: string, user = 'postgres') {
    const emitter = await stand.emitter({ database, user });
    return await store(emitter, recordBatch([LINE], ACCESS));
  }

  test('has the typed columns in a new schema', async () => {
    const database = await withView('');
    const client = await stand.client(database);
    const { rows } = await client.query(TYPED.replace('from ', 'from mega_collector.'));
    expect(rows).toEqual([{ ...FOUND, http_response_body_size: '12' }]);
    expect(await names(database)).toEqual(VIEW_COLUMNS);
  });

  test('of an earlier version gets them at the next start, and keeps its grants', async () => {
    const database = await withView(
      `drop view logs; ${FIRST_VIEW}; create role reader; grant select on logs to reader;`,
    );
    expect(await startAgain(database)).toEqual({ kind: 'delivered' });
    expect(await names(database)).toEqual(VIEW_COLUMNS);
    const client = await stand.client(database);
    const { rows } = await client.query(
      "select has_table_privilege('reader', 'mega_collector.logs', 'select') as may",
    );
    expect(rows).toEqual([{ may: true }]);
  });

  test.each([
    [
      'of a later version',
      "create view logs as select body from log_records; comment on view logs is 'mega-collector view 99';",
    ],
    ['that an operator has changed', 'create view logs as select body as text, time from log_records;'],
  ])('keeps %s, and the store works', async (_, statements) => {
    const database = await withView(`drop view logs; ${statements}`);
    const before = await names(database);
    expect(await startAgain(database)).toEqual({ kind: 'delivered' });
    expect(await names(database)).toEqual(before);
  });

  test('of another owner is kept, and the store works', async () => {
    const database = await withView(
      `drop view logs; ${FIRST_VIEW}; create role writer login; grant usage on schema mega_collector to writer;
       grant all on all tables in schema mega_collector to writer;`,
    );
    const before = await names(database);
    expect(await startAgain(database, 'writer')).toEqual({ kind: 'delivered' });
    expect(await names(database)).toEqual(before);
  });
});

test('a comment of an operator is not a version', () => {
  for (const comment of [null, '', 'ours', 'mega-collector view', 'mega-collector view 1']) {
    expect(isLogsViewOutdated(comment)).toBe(true);
  }
});
