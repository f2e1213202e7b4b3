import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished } from 'vitest';
import { clickhouseType } from '../../src/emitters/clickhouse/type.ts';
import { duckdbType } from '../../src/emitters/duckdb/type.ts';
import type { Emitter, EmitterType } from '../../src/emitters/emitter.ts';
import { DELIVERED } from '../../src/emitters/outcome.ts';
import { postgresType } from '../../src/emitters/postgres/type.ts';
import type { SqlDatabase } from '../../src/logstore/sql/sql-database.ts';
import { type Batch, batchOf } from '../../src/records/batch.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import type { OwnClickHouse } from '../../testkit/clickhouse/own-clickhouse.ts';
import { STORE_ROLE } from '../../testkit/documented-database.ts';
import { CLICKHOUSE_MISSING, startClickHouse } from './clickhouse-server.ts';
import { emitterEnvironment } from './emitter-environment.ts';
import { POSTGRES_PROGRAMS, type PostgresServer, startPostgres } from './postgres-server.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { TIMESCALE_MISSING, TIMESCALE_SETTINGS } from './timescale.ts';

/** A store of its own for one test, gone when that has finished. */
export interface TestStore {
  readonly database: SqlDatabase;
  /** One flush, of one writer: the emitter that stores of this kind have in the product. */
  readonly write: (batches: readonly RecordBatch[]) => Promise<void>;
  /** The same, for a batch that may have passed a filter. */
  readonly writeBatch: (batch: Batch) => Promise<void>;
}

export type OpenStore = (options?: { readonly clock?: Clock }) => Promise<TestStore>;

/** The same suite against every store that is installed; what is not is skipped by name. */
export function describeEachStore(title: string, suite: (openStore: OpenStore) => void): void {
  describe(`${title} in DuckDB`, () => suite(openDuckdb));
  describeOnServer(`${title} in PostgreSQL`, suite, { missing: POSTGRES_MISSING, timescale: 'off' });
  describeOnServer(`${title} in TimescaleDB`, suite, {
    missing: TIMESCALE_MISSING,
    timescale: 'auto',
    settings: TIMESCALE_SETTINGS,
  });
  describeInClickHouse(title, suite);
}

/** The runs of a property that queries this store: a query of ClickHouse is planned for several milliseconds. */
export function runsIn({ database }: Pick<TestStore, 'database'>, runs: number): number {
  return database.dialect === 'clickhouse' ? Math.ceil(runs / 6) : runs;
}

/** One server for the suite, and a database for each store. */
export function describeInClickHouse(title: string, suite: (openStore: OpenStore) => void): void {
  if (CLICKHOUSE_MISSING !== undefined) {
    describe.skip(`${title} in ClickHouse (skipped: ${CLICKHOUSE_MISSING})`, () => suite(openDuckdb));
    return;
  }
  describe(`${title} in ClickHouse`, () => {
    let starting: Promise<OwnClickHouse> | undefined;
    let databases = 0;
    const cleanUps: (() => Promise<void>)[] = [];
    afterAll(async () => {
      for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    });
    suite(async (options) => {
      starting ??= startClickHouse((cleanUp) => void cleanUps.push(cleanUp));
      const url = (await starting).url();
      const database = `store_${++databases}`;
      return await openStore(clickhouseType, { url, database, fsync: false }, options);
    });
  });
}

const POSTGRES_MISSING = POSTGRES_PROGRAMS === undefined ? 'PostgreSQL is not installed' : undefined;
const openDuckdb: OpenStore = async (options) => {
  const path = join(await temporaryDirectory(), 'logs.duckdb');
  return await openStore(duckdbType, { path, retention_age: 0, retention_size: 0 }, options);
};

interface ServerOptions {
  readonly missing: string | undefined;
  readonly timescale: 'off' | 'auto';
  readonly settings?: Readonly<Record<string, string>>;
}

/** One server for the suite, and a database for each store. */
function describeOnServer(
  title: string,
  suite: (openStore: OpenStore) => void,
  { missing, timescale, settings = {} }: ServerOptions,
): void {
  if (missing !== undefined) {
    describe.skip(`${title} (skipped: ${missing})`, () => suite(openDuckdb));
    return;
  }
  describe(title, () => {
    let starting: Promise<PostgresServer> | undefined;
    let databases = 0;
    const cleanUps: (() => Promise<void>)[] = [];
    afterAll(async () => {
      for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    });
    suite(async (options) => {
      starting ??= startPostgres(settings, (cleanUp) => void cleanUps.push(cleanUp));
      const server = await starting;
      const database = `store_${++databases}`;
      await server.createStoreDatabase(database);
      const { socketDirectory: host, port } = server;
      return await openStore(postgresType, { host, port, user: STORE_ROLE, database, timescale }, options);
    });
  });
}

async function openStore<Configuration>(
  type: EmitterType<Configuration>,
  settings: Readonly<Record<string, unknown>>,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<TestStore> {
  const [configured] = type.parse(JSON.stringify(settings));
  if (configured === undefined) throw new Error('No emitter is configured.');
  const emitter: Emitter = await type.create(configured.configuration, emitterEnvironment({ clock }));
  onTestFinished(() => emitter.stop(AbortSignal.timeout(5000)));
  await emitter.start();
  const { database } = emitter;
  if (database === undefined) throw new Error(`The emitter ${type.type} is no store.`);
  const signal = new AbortController().signal;
  const writeBatch = async (batch: Batch) => {
    expect(await emitter.emit(batch, signal)).toEqual(DELIVERED);
    expect(await emitter.flush(signal)).toEqual(DELIVERED);
  };
  return { database, write: (batches) => writeBatch(batchOf(batches)), writeBatch };
}
