import { DuckDBInstance } from '@duckdb/node-api';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { LOG_COLUMNS, LOG_TABLE } from '../../src/logstore/log-columns.ts';
import { HOUSEKEEPING, logRecordColumns, STORE_TABLES } from '../../src/logstore/schema.ts';
import { POSTGRES_PROGRAMS, startPostgres } from '../support/postgres-server.ts';

const CREATE_LOGS = (json: 'json' | 'jsonb') => `create table ${LOG_TABLE} (${logRecordColumns(json)})`;

const COLUMNS = `select table_name, column_name, is_nullable, data_type from information_schema.columns
  where table_schema in ('main', 'public') order by table_name, ordinal_position`;

interface Column {
  readonly table_name: string;
  readonly column_name: string;
  readonly is_nullable: string;
  readonly data_type: string;
}

/** The tables as a database describes them, with types by one name. */
function described(columns: readonly Column[]): Record<string, readonly string[]> {
  const tables: Record<string, readonly string[]> = {};
  for (const { table_name, column_name, is_nullable, data_type } of columns) {
    const type = TYPES[data_type.toLowerCase()] ?? data_type.toLowerCase();
    const column = `${column_name} ${type}${is_nullable === 'NO' ? ' not null' : ''}`;
    tables[table_name] = [...(tables[table_name] ?? []), column];
  }
  return tables;
}

const TYPES: Readonly<Record<string, string>> = {
  varchar: 'text',
  double: 'double precision',
  jsonb: 'json',
};

function expectTables(tables: Record<string, readonly string[]>): void {
  expect(Object.keys(tables)).toHaveLength(STORE_TABLES.length + 1);
  expect(tables[LOG_TABLE]?.map((column) => column.split(' ')[0])).toEqual([...LOG_COLUMNS]);
  expect(tables[LOG_TABLE]?.filter((column) => column.endsWith('not null'))).toEqual([
    'time timestamp with time zone not null',
    'observed_time timestamp with time zone not null',
    'format text not null',
    'body text not null',
    'stream uuid not null',
    'position bigint not null',
  ]);
  expect(tables.streams).toEqual([
    'stream uuid not null',
    'ranges text not null',
    'updated_at timestamp with time zone not null',
  ]);
}

/** Created twice, as by whoever starts a second time. */
async function tablesOfDuckDb(): Promise<Record<string, readonly string[]>> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  onTestFinished(() => connection.closeSync());
  for (const statement of [CREATE_LOGS('json'), ...STORE_TABLES, ...STORE_TABLES])
    await connection.run(statement);
  const reader = await connection.runAndReadAll(COLUMNS);
  return described(reader.getRowObjectsJson() as unknown as Column[]);
}

test('can be executed in DuckDB', async () => {
  expectTables(await tablesOfDuckDb());
});

test.skipIf(POSTGRES_PROGRAMS === undefined)(
  'PostgreSQL knows all of it, and sees the same tables as DuckDB',
  { timeout: 120_000 },
  async () => {
    const server = await startPostgres();
    const client = new Client({ host: server.socketDirectory, user: 'postgres', database: 'postgres' });
    await client.connect();
    onTestFinished(() => client.end());
    for (const statement of [CREATE_LOGS('jsonb'), ...STORE_TABLES, ...STORE_TABLES])
      await client.query(statement);
    const { rows } = await client.query<Column>(COLUMNS);
    const tables = described(rows);
    expectTables(tables);
    expect(tables).toEqual(await tablesOfDuckDb());
  },
);

test('streams are remembered longer than by the aggregator itself', () => {
  expect(HOUSEKEEPING.streamsMs).toBeGreaterThan(400 * 86_400_000);
});
