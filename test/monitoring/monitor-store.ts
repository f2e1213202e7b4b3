import { DuckDBInstance } from '@duckdb/node-api';
import pg from 'pg';
import { afterAll, describe, onTestFinished } from 'vitest';
import { clickhouseType } from '../../src/emitters/clickhouse/type.ts';
import { LOG_TABLE } from '../../src/logstore/log-columns.ts';
import { logRecordColumns, STORE_TABLES } from '../../src/logstore/schema.ts';
import { dialectOf } from '../../src/logstore/sql/dialect-of.ts';
import {
  join as joinSql,
  type Sql,
  type SqlStatement,
  type SqlValue,
  sql,
  statement,
} from '../../src/logstore/sql/sql.ts';
import { type SqlDatabase, SqlError, type SqlRow } from '../../src/logstore/sql/sql-database.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { OwnClickHouse } from '../../testkit/clickhouse/own-clickhouse.ts';
import { CLICKHOUSE_MISSING, startClickHouse } from '../support/clickhouse-server.ts';
import { emitterEnvironment } from '../support/emitter-environment.ts';
import { POSTGRES_PROGRAMS, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { TIMESCALE_MISSING, TIMESCALE_SETTINGS } from '../support/timescale.ts';

export interface TestRecord {
  readonly unixMs: number;
  readonly path?: string;
  readonly status?: number;
  readonly bytes?: number;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** The tables of a store, with transactions like those of a real one, and several at once. */
export interface MonitorStore {
  readonly database: SqlDatabase;
  /** One flush of a writer, over a connection of its own. */
  flush(writer: string, records: readonly TestRecord[]): Promise<void>;
  query(statement: ReturnType<typeof sql>): Promise<readonly SqlRow[]>;
  /** Called before each statement of `database.run`, within its transaction. */
  beforeStatement: () => Promise<void>;
}

type Run = (
  statements: readonly SqlStatement[],
  beforeStatement?: () => Promise<void>,
) => Promise<readonly (readonly SqlRow[])[]>;

export const WRITERS = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
] as const;

/** The same suite against every store that is installed. */
export function describeEachMonitorStore(
  title: string,
  suite: (open: () => Promise<MonitorStore>) => void,
): void {
  describe(`${title} in DuckDB`, () => suite(openDuckDb));
  describeInClickHouse(title, suite);
  describeOnServer(`${title} in PostgreSQL`, suite, {
    missing: POSTGRES_PROGRAMS === undefined ? 'PostgreSQL is not installed' : undefined,
    hasTimescale: false,
  });
  describeInTimescale(title, suite);
}

/** Metrics are continuous aggregates there, except with the license `apache`. */
export function describeInTimescale(
  title: string,
  suite: (open: () => Promise<MonitorStore>) => void,
  license: 'timescale' | 'apache' = 'timescale',
): void {
  describeOnServer(`${title} in TimescaleDB`, suite, {
    missing: TIMESCALE_MISSING,
    hasTimescale: true,
    settings: { ...TIMESCALE_SETTINGS, 'timescaledb.license': license },
  });
}

interface ServerOptions {
  readonly missing: string | undefined;
  readonly hasTimescale: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

function describeOnServer(
  title: string,
  suite: (open: () => Promise<MonitorStore>) => void,
  { missing, hasTimescale, settings = {} }: ServerOptions,
): void {
  if (missing !== undefined) {
    describe.skip(`${title} (skipped: ${missing})`, () => suite(openDuckDb));
    return;
  }
  describe(title, () => {
    let server: Promise<PostgresServer> | undefined;
    let databases = 0;
    const cleanUps: (() => Promise<void>)[] = [];
    afterAll(async () => {
      for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    });
    suite(async () => {
      server ??= startPostgres(settings, (cleanUp) => void cleanUps.push(cleanUp));
      const database = `monitor_${++databases}`;
      const running = await server;
      await running.sql(`create database ${database}`);
      if (hasTimescale) await running.sql('create extension timescaledb', { database });
      return await openPostgres(running.socketDirectory, database, hasTimescale);
    });
  });
}

/** The engine of the tests is slow to start, so that it runs only where it is installed. */
function describeInClickHouse(title: string, suite: (open: () => Promise<MonitorStore>) => void): void {
  describe.skipIf(CLICKHOUSE_MISSING !== undefined)(`${title} in ClickHouse`, { timeout: 120_000 }, () => {
    let server: Promise<OwnClickHouse> | undefined;
    let databases = 0;
    const cleanUps: (() => Promise<void>)[] = [];
    afterAll(async () => {
      for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    });
    suite(async () => {
      server ??= startClickHouse((cleanUp) => void cleanUps.push(cleanUp));
      return await openClickHouse((await server).url(), `monitor_${++databases}`);
    });
  });
}

/** The tables and the statements are those of the emitter. There are no transactions. */
async function openClickHouse(url: string, name: string): Promise<MonitorStore> {
  const [configured] = clickhouseType.parse(JSON.stringify({ url, database: name, fsync: false }));
  if (configured === undefined) throw new Error('No emitter is configured.');
  const environment = emitterEnvironment({ clock: systemClock });
  const emitter = await clickhouseType.create(configured.configuration, environment);
  onTestFinished(() => emitter.stop(AbortSignal.timeout(5000)));
  await emitter.start();
  const { database } = emitter;
  if (database === undefined) throw new Error('The emitter has no database.');
  const run: Run = async (statements, beforeStatement) => {
    const results: (readonly SqlRow[])[] = [];
    for (const each of statements) {
      await beforeStatement?.();
      results.push(...(await database.run([each], { timeoutMs: 60_000 })));
    }
    return results;
  };
  return storeOver('clickhouse', run, run);
}

async function openDuckDb(): Promise<MonitorStore> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  onTestFinished(() => instance.closeSync());
  const connected = async (): Promise<Run> => {
    const connection = await instance.connect();
    let last: Promise<unknown> = Promise.resolve();
    const transaction: Run = async (statements, beforeStatement) => {
      const results: SqlRow[][] = [];
      await connection.run('begin transaction');
      try {
        for (const { text, values } of statements) {
          await beforeStatement?.();
          const reader = await connection.runAndReadAll(text, [...values]);
          results.push(reader.getRowObjectsJS().map(plain));
        }
        await connection.run('commit');
        return results;
      } catch (error) {
        await connection.run('rollback').catch(() => {});
        throw new SqlError(/conflict/i.test(String(error)) ? 'busy' : 'statement', String(error));
      }
    };
    return (...args) => {
      const result = last.then(() => transaction(...args));
      last = result.catch(() => {});
      return result;
    };
  };
  const setUp = await instance.connect();
  for (const each of [...STORE_TABLES, `create table ${LOG_TABLE} (${logRecordColumns('json')})`])
    await setUp.run(each);
  return storeOver('duckdb', await connected(), await connected());
}

function plain(row: Readonly<Record<string, unknown>>): SqlRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? Number(value) : (value as SqlValue),
    ]),
  );
}

async function openPostgres(host: string, database: string, hasTimescale: boolean): Promise<MonitorStore> {
  const pool = new pg.Pool({ host, database, user: 'postgres', max: 4, types: { getTypeParser } });
  pool.on('error', () => {});
  onTestFinished(() => pool.end());
  for (const each of [...STORE_TABLES, `create table ${LOG_TABLE} (${logRecordColumns('jsonb')})`])
    await pool.query(each);
  if (hasTimescale) {
    const interval = `chunk_time_interval => interval '1 day'`;
    await pool.query(`select create_hypertable('${LOG_TABLE}', 'time', ${interval})`);
  }
  const within =
    (isolation: string): Run =>
    async (statements, beforeStatement) => {
      const client = await pool.connect();
      try {
        await client.query(`begin isolation level ${isolation}`);
        const results: SqlRow[][] = [];
        for (const { text, values } of statements) {
          await beforeStatement?.();
          results.push((await client.query<Record<string, SqlValue>>(text, [...values])).rows);
        }
        await client.query('commit');
        return results;
      } catch (error) {
        await client.query('rollback');
        const { code = '', message } = error as { code?: string; message: string };
        const kind = /^40/.test(code) ? 'busy' : /^23/.test(code) ? 'constraint' : 'statement';
        throw new SqlError(kind, message);
      } finally {
        client.release();
      }
    };
  const outside: Run = async (statements) => {
    try {
      for (const { text, values } of statements) await pool.query(text, [...values]);
      return [];
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      throw new SqlError(code === '55P03' ? 'busy' : 'statement', message);
    }
  };
  // The looser of the isolations that a store may have: what is right here is right in the stricter one.
  return storeOver('postgres', within('read committed'), within('read committed'), outside);
}

const BIGINT = 20;
function getTypeParser(oid: number): (value: string) => unknown {
  return oid === BIGINT ? Number : (pg.types.getTypeParser(oid) as (value: string) => unknown);
}

function storeOver(
  dialectName: SqlDatabase['dialect'],
  run: Run,
  write: Run,
  outside: Run = run,
): MonitorStore {
  const dialect = dialectOf(dialectName);
  const time = (unixMs: number) => dialect.timestamp(unixMs * 1000);
  // ClickHouse deletes old notes by its own clock.
  const storedAt = time(dialectName === 'clickhouse' ? Date.now() : 0);
  const flushes = new Map<string, number>();
  let position = 0;
  const store: MonitorStore = {
    beforeStatement: () => Promise.resolve(),
    database: {
      dialect: dialectName,
      run: (statements, { isOutsideTransaction }) =>
        (isOutsideTransaction ? outside : run)(statements, () => store.beforeStatement()),
    },
    query: async (each) => (await run([statement(each)]))[0] ?? [],
    async flush(writer, records) {
      const flush = (flushes.get(writer) ?? 0) + 1;
      flushes.set(writer, flush);
      const rows = records.map(({ unixMs, path, status, bytes, attributes }) => {
        position++;
        const json = attributes === undefined ? null : JSON.stringify(attributes);
        return sql`(${time(unixMs)}, ${time(unixMs)}, 'combined', 'a line',
          ${dialectName === 'postgres' ? sql`${json}::jsonb` : sql`${json}::json`}, ${writer}::uuid, ${position}::bigint,
          ${path ?? null}::text, ${status ?? null}::smallint, ${bytes ?? null}::bigint)`;
      });
      const times = records.map(({ unixMs }) => unixMs);
      const minutes = new Set(times.map((unixMs) => Math.floor(unixMs / 60_000) * 60_000));
      const statements = [
        sql`insert into log_records (time, observed_time, format, body, attributes, stream, position, url_path,
          http_response_status_code, http_response_body_size) values ${joinSql(rows, sql`, `)}`,
        sql`insert into stored_ranges (writer, flush, stored_at, stream, range_start, range_end, min_time, max_time)
          values (${writer}::uuid, ${flush}::bigint, ${storedAt}, ${writer}::uuid, 0, 1,
          ${time(Math.min(...times))}, ${time(Math.max(...times))})`,
        ...[...minutes].map(
          (minute) =>
            sql`insert into touched_minutes (writer, flush, stored_at, minute) values (${writer}::uuid, ${flush}::bigint, ${storedAt}, ${time(minute)})`,
        ),
        writerRow(dialectName, sql`${writer}::uuid, ${flush}::bigint, ${storedAt}`),
      ];
      await write(statements.map(statement));
    },
  };
  return store;
}

/** In ClickHouse, the last row of a writer counts. */
function writerRow(dialectName: SqlDatabase['dialect'], values: Sql): Sql {
  if (dialectName === 'clickhouse')
    return sql`insert into writers (writer, last_flush, seen_at) values (${values})`;
  return sql`insert into writers as known (writer, last_flush, seen_at) values (${values})
    on conflict (writer) do update set last_flush = excluded.last_flush`;
}
