import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool } from 'pg';
import { TEXT_INDEX } from '../../src/emitters/clickhouse/text-index.ts';
import { clickhouseType } from '../../src/emitters/clickhouse/type.ts';
import { SKETCH_TABLE } from '../../src/emitters/duckdb/text-sketches.ts';
import { duckdbType } from '../../src/emitters/duckdb/type.ts';
import type { Emitter } from '../../src/emitters/emitter.ts';
import { addDays, dayOf } from '../../src/emitters/postgres/partitions.ts';
import { postgresType } from '../../src/emitters/postgres/type.ts';
import { createLogSearch } from '../../src/logstore/logs/create-log-search.ts';
import type { LogSearch } from '../../src/logstore/logs/log-search.ts';
import { dialectOf } from '../../src/logstore/sql/dialect-of.ts';
import type { SqlDatabase } from '../../src/logstore/sql/sql-database.ts';
import { numberOf } from '../../src/logstore/sql/sql-row.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { OwnClickHouse } from '../../testkit/clickhouse/own-clickhouse.ts';
import { STORE_ROLE } from '../../testkit/documented-database.ts';
import type { OwnPostgres } from '../../testkit/own-postgres.ts';
import { median } from '../statistics.ts';
import { benchEnvironment } from './bench-environment.ts';
import { insertGeneratedRows } from './generated-rows.ts';
import { type Question, questions, type Window } from './questions.ts';

/** Measures the queries of one store. */
export interface StoreQueries {
  /** `DuckDB` */
  readonly store: string;
  /** Number of rows of all days. */
  readonly rows: number;
  readonly queries: readonly TimedQuery[];
}

export interface TimedQuery {
  readonly name: string;
  /** Over one day, and over all days. */
  readonly dayMs: number;
  /** undefined: the store contains only one day. */
  readonly allMs: number | undefined;
}

export const DAYS = 10;
const ASKED_DAY = 5;
const DAY_MS = 86_400_000;
const RUNS = 5;
/** Records of a range of DuckDB that gets a sketch; the newest ones wait for others. */
const ROWS_OF_SKETCH = 61_440;
const GENERATE_TIMEOUT_MS = 600_000;
const QUERY_TIMEOUT_MS = 120_000;

/** The first of the last ten whole days. */
const FIRST_DAY_MS = (Math.floor(Date.now() / DAY_MS) - DAYS) * DAY_MS;

/** Measures DuckDB, in a directory that is emptied before and after. */
export async function measureDuckDbQueries(directory: string, rows: number): Promise<StoreQueries> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const value = JSON.stringify({ path: join(directory, 'logs.duckdb'), retention_age: 0 });
  const [configured] = duckdbType.parse(value);
  if (configured === undefined) throw new Error('DuckDB is not configured');
  try {
    const emitter = await duckdbType.create(configured.configuration, benchEnvironment(directory));
    return await measure(emitter, {
      ...{ store: 'DuckDB', rows, days: [...Array(DAYS).keys()] },
      settle: untilSketched,
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Measures the engine of ClickHouse that the tests use, in a directory that is emptied before and after. */
export async function measureClickHouseQueries(directory: string, rows: number): Promise<StoreQueries> {
  await rm(directory, { recursive: true, force: true });
  const server = await OwnClickHouse.create({ directory: join(directory, 'clickhouse') });
  try {
    await server.start();
    const value = JSON.stringify({ url: server.url(), database: CLICKHOUSE_DATABASE });
    const [configured] = clickhouseType.parse(value);
    if (configured === undefined) throw new Error('ClickHouse is not configured');
    const emitter = await clickhouseType.create(configured.configuration, benchEnvironment(directory));
    return await measure(emitter, {
      ...{ store: 'ClickHouse', rows, days: [...Array(DAYS).keys()] },
      settle: () => settleClickHouse(server),
    });
  } finally {
    await server.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

const CLICKHOUSE_DATABASE = 'queries';

/**
 * Measures PostgreSQL in a separate database with only the queried day: generating the other days would take
 * minutes, and their partitions are not read.
 */
export async function measurePostgresQueries(server: OwnPostgres, rows: number): Promise<StoreQueries> {
  const database = 'queries';
  await server.createStoreDatabase(database);
  try {
    const [configured] = postgresType.parse(
      JSON.stringify({ url: server.url(database, server.port, STORE_ROLE) }),
    );
    if (configured === undefined) throw new Error('PostgreSQL is not configured');
    const emitter = await postgresType.create(configured.configuration, benchEnvironment('/nonexistent'));
    return await measure(emitter, {
      ...{ store: 'PostgreSQL', rows, days: [ASKED_DAY] },
      prepare: () => makePartition(server.url(database)),
      // As autovacuum does at some time.
      settle: () => server.query((client) => client.query('vacuum (analyze)'), database),
    });
  } finally {
    await server.query((client) => client.query(`drop database ${database} with (force)`));
  }
}

interface Contents {
  readonly store: string;
  /** The number of records of all ten days. */
  readonly rows: number;
  /** The stored days, from 0. */
  readonly days: readonly number[];
  /** Before there are rows, and after. */
  readonly prepare?: () => Promise<unknown>;
  readonly settle?: (database: SqlDatabase) => Promise<unknown>;
}

async function measure(emitter: Emitter, contents: Contents): Promise<StoreQueries> {
  const { store, rows, days } = contents;
  await emitter.start();
  try {
    const { database } = emitter;
    if (database === undefined) throw new Error(`${store} cannot be asked`);
    // The tables exist when the first answer arrives.
    await database.run([{ text: 'select 1 as one', values: [] }], { timeoutMs: QUERY_TIMEOUT_MS });
    await contents.prepare?.();
    const rowsOfDay = Math.ceil(rows / DAYS);
    for (const day of days) await generateDay(database, day, rowsOfDay);
    await contents.settle?.(database);
    const logs = createLogSearch(database, { clock: systemClock, timeoutMs: QUERY_TIMEOUT_MS });
    const queries: TimedQuery[] = [];
    for (const question of questions(ASKED_DAY * rowsOfDay)) {
      queries.push({
        name: question.name,
        dayMs: await timeOf(question, logs, dayWindow()),
        allMs: days.length === 1 ? undefined : await timeOf(question, logs, allWindow()),
      });
    }
    return { store, rows: rowsOfDay * days.length, queries };
  } finally {
    await emitter.stop(AbortSignal.timeout(30_000));
  }
}

/**
 * As the server does with days that get no records any more, and the emitter with days that are over. One day after
 * the other: a request for all of them takes longer than the HTTP client waits for an answer.
 */
async function settleClickHouse(server: OwnClickHouse): Promise<void> {
  const table = `${CLICKHOUSE_DATABASE}.log_records`;
  const partitions = await server.sql(
    `select distinct partition_id from system.parts where active and concat(database, '.', table) = '${table}'
      format JSONEachRow`,
  );
  for (const { partition_id: id } of partitions) {
    await server.sql(`optimize table ${table} partition id '${String(id)}' final`);
    await server.sql(
      `alter table ${table} materialize index ${TEXT_INDEX.name} in partition id '${String(id)}' settings mutations_sync = 1`,
    );
  }
}

/** The emitter builds sketches of texts in the background, from the oldest records to the newest ones. */
async function untilSketched(database: SqlDatabase): Promise<void> {
  const text = `select count(*) as rows from log_records
    where time > coalesce((select max(range_end) from ${SKETCH_TABLE}), timestamptz '1970-01-01')`;
  for (;;) {
    const [found] = await database.run([{ text, values: [] }], { timeoutMs: QUERY_TIMEOUT_MS });
    const [row] = found ?? [];
    if (row === undefined || numberOf(row, 'rows') < 2 * ROWS_OF_SKETCH) return;
    await systemClock.sleep(1_000);
  }
}

async function generateDay(database: SqlDatabase, day: number, rows: number): Promise<void> {
  const insert = insertGeneratedRows(dialectOf(database.dialect), {
    fromUnixMicro: (FIRST_DAY_MS + day * DAY_MS) * 1000,
    spanMicro: DAY_MS * 1000,
    rows,
    firstNumber: day * rows,
  });
  await database.run([insert], { timeoutMs: GENERATE_TIMEOUT_MS });
}

async function makePartition(url: string): Promise<void> {
  const pool = new Pool({ connectionString: url, options: '-c search_path=mega_collector -c timezone=UTC' });
  const client = await pool.connect();
  try {
    await client.query('begin');
    await addDays(client, [dayOf(FIRST_DAY_MS) + ASKED_DAY]);
    await client.query('commit');
  } finally {
    client.release();
    await pool.end();
  }
}

async function timeOf(question: Question, logs: LogSearch, window: Window): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    await question.ask(logs, window);
    times.push(performance.now() - began);
  }
  return median(times);
}

function dayWindow(): Window {
  return windowOf(FIRST_DAY_MS + ASKED_DAY * DAY_MS, 1);
}

function allWindow(): Window {
  return windowOf(FIRST_DAY_MS, DAYS);
}

function windowOf(fromMs: number, days: number): Window {
  return { from: new Date(fromMs).toISOString(), to: new Date(fromMs + days * DAY_MS).toISOString() };
}
