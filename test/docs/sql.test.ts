import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { STORE_ROLE } from '../../testkit/documented-database.ts';
import { deliver, startedOn, temporaryPath } from '../emitters/duckdb/emitting.ts';
import { MISSING, PostgresStand, soon, store } from '../emitters/postgres/postgres-stand.ts';
import { recordBatch } from '../support/record-batches.ts';

const BLOCK = /^```sql\n(.*?)^```/gms;

const BLOCKS = ['docs/store.md', 'docs/monitoring.md'].flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(BLOCK)].map(([, text = '']) => ({ page, text })),
);
/** Runs as the superuser, for the database of each test. */
const SET_UP = BLOCKS.filter(({ text }) => text.startsWith('create role'));
const POSTGRES = BLOCKS.filter(({ text }) => text.includes('mega_collector.'));
const DUCKDB = BLOCKS.filter((block) => !SET_UP.includes(block) && !POSTGRES.includes(block));

function records() {
  const time = new Date(Date.now() - 60_000).toUTCString();
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/.exec(time) ?? [];
  const line = `::1 - - [${day}/${month}/${year}:${clock} +0000] "GET /a HTTP/1.1" 503 12 "-" "x"\n`;
  return recordBatch([line, line], {
    format: 'combined',
    observedTimeUnixNano: BigInt(Date.now()) * 1_000_000n,
    resource: new Map(),
  });
}

test('the pages have SQL for both databases', () => {
  expect([SET_UP.length, POSTGRES.length, DUCKDB.length]).toEqual([1, 2, 1]);
});

describe('SQL in the documentation runs in DuckDB', () => {
  test.each(DUCKDB)('$page: $text', async ({ text }) => {
    const path = await temporaryPath();
    const emitter = await startedOn(path);
    await deliver(emitter, records());
    await emitter.stop(soon());
    const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
    try {
      const rows = (await (await instance.connect()).runAndReadAll(text)).getRowsJS();
      expect(rows).toEqual([['/a', 2n, 12]]);
    } finally {
      instance.closeSync();
    }
  });
});

describe.skipIf(MISSING !== '')(`SQL in the documentation runs in PostgreSQL${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  test.each(POSTGRES)('$page: $text', async ({ text }) => {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database });
    expect(await store(emitter, records())).toEqual({ kind: 'delivered' });
    // The emitter creates the extension pg_trgm in the background; two sessions cannot do that at the same time.
    await emitter.stop(soon());
    const client = new Client({ ...stand.address, database, user: STORE_ROLE });
    await client.connect();
    try {
      const { rows } = await client.query<{ url_path: string; count: string }>(text);
      if (text.startsWith('select')) expect(rows).toMatchObject([{ url_path: '/a', count: '2' }]);
    } finally {
      await client.end();
    }
  });
});
