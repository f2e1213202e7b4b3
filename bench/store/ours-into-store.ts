import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { OwnClickHouse } from '../../testkit/clickhouse/own-clickhouse.ts';
import { STORE_ROLE } from '../../testkit/documented-database.ts';
import { OwnPostgres } from '../../testkit/own-postgres.ts';
import { aggregatorStatus } from '../../testkit/owner-status.ts';
import { layOutPair } from '../../testkit/pair.ts';
import { productIsBuilt, untilReady } from '../../testkit/product.ts';
import {
  databaseOf,
  NO_POSTGRES,
  type RunningIngest,
  type StoreContender,
  type StoreCourse,
  type Stored,
  storedInPostgres,
} from './store-contender.ts';

/**
 * mega-collector into DuckDB, in the process of the aggregator. The access log's times may be long ago: all
 * is kept.
 */
export function oursIntoDuckDb(): StoreContender {
  const path = ({ directory }: StoreCourse) => join(directory, 'logs.duckdb');
  return {
    name: 'mega-collector, DuckDB',
    key: 'ours-duckdb',
    prepare: () => requireBuild(),
    start: (course) =>
      startPair(course, {
        emitters: {
          AGGREGATOR_DUCKDB_CONFIGURATION: JSON.stringify({ path: path(course), retention_age: 0 }),
        },
        stored: () => storedInDuckDb(path(course)),
      }),
  };
}

export function oursIntoPostgres(): StoreContender {
  return {
    name: 'mega-collector, PostgreSQL',
    key: 'ours-postgres',
    prepare: () => requireBuild(OwnPostgres.isInstalled() ? undefined : NO_POSTGRES),
    start(course) {
      const { server, database } = databaseOf(course);
      return startPair(course, {
        emitters: {
          AGGREGATOR_POSTGRES_CONFIGURATION: JSON.stringify({
            url: server.url(database, server.port, STORE_ROLE),
          }),
        },
        stored: () => storedInPostgres(course, 'mega_collector.log_records'),
      });
    },
  };
}

/** With the engine of ClickHouse that the tests use, started for this run: see `testkit/clickhouse`. */
export function oursIntoClickHouse(): StoreContender {
  return {
    name: 'mega-collector, ClickHouse',
    key: 'ours-clickhouse',
    prepare: () => requireBuild(OwnClickHouse.isInstalled() ? undefined : NO_CLICKHOUSE),
    async start(course) {
      const server = await OwnClickHouse.create({ directory: join(course.directory, 'clickhouse') });
      await server.start();
      const value = JSON.stringify({ url: server.url(), database: CLICKHOUSE_DATABASE });
      try {
        const running = await startPair(course, {
          emitters: { AGGREGATOR_CLICKHOUSE_CONFIGURATION: value },
          stored: () => storedInClickHouse(server),
        });
        const database = { cpuSeconds: () => server.cpuSeconds, kill: () => server.kill() };
        return { ...running, database };
      } catch (error) {
        await server.kill();
        throw error;
      }
    },
  };
}

const NO_CLICKHOUSE = 'the engine of ClickHouse is not installed (make test-clickhouse)';
const CLICKHOUSE_DATABASE = 'course';

async function storedInClickHouse(server: OwnClickHouse): Promise<Stored> {
  const [found] = await server.sql(
    `select (select count(*) from ${CLICKHOUSE_DATABASE}.log_records final) as rows,
       (select sum(bytes_on_disk) from system.parts where active and database = '${CLICKHOUSE_DATABASE}') as bytes
     format JSONEachRow`,
  );
  return { rows: Number(found?.rows), bytes: Number(found?.bytes) };
}

/** Its version. */
async function requireBuild(otherProblem?: string): Promise<string> {
  const problem = productIsBuilt() ? otherProblem : 'dist/ is not built';
  if (problem !== undefined) throw new Error(problem);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  return version;
}

interface StoreSide {
  readonly emitters: Readonly<Record<string, string>>;
  readonly stored: () => Promise<Stored>;
}

async function startPair(
  { directory }: StoreCourse,
  { emitters, stored }: StoreSide,
): Promise<RunningIngest> {
  const pair = await layOutPair({
    ...{ directory, emitters, format: 'combined' },
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms' },
  });
  const receiver = pair.startAggregator();
  const sender = pair.startCollector();
  try {
    await untilReady(receiver, pair.aggregatorHttp);
    await untilReady(sender, pair.collectorHttp);
  } catch (error) {
    await Promise.all([sender.kill(), receiver.kill()]);
    throw error;
  }
  return {
    ...{ sender, receiver },
    async storedRows() {
      const {
        emitters: [emitter],
      } = await aggregatorStatus(pair.aggregatorState);
      return emitter?.delivered.records ?? 0;
    },
    async finish() {
      await sender.stop();
      await receiver.stop();
      return await stored();
    },
  };
}

async function storedInDuckDb(path: string): Promise<Stored> {
  const { size } = await stat(path);
  const database = await DuckDBInstance.create(path);
  const connection = await database.connect();
  try {
    const reader = await connection.runAndReadAll('select count(*) from log_records');
    return { rows: Number(reader.value(0, 0)), bytes: size };
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}
