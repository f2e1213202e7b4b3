import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../../src/runtime/error-message.ts';
import { OwnClickHouse } from '../../testkit/clickhouse/own-clickhouse.ts';
import { OwnPostgres } from '../../testkit/own-postgres.ts';
import { type WrittenLog, writeAccessLog } from '../access-log.ts';
import { installPackage } from '../peers/install-package.ts';
import { type BenchSettings, runsContender } from '../settings.ts';
import { type Ingest, runIngest } from './ingest.ts';
import { oursIntoClickHouse, oursIntoDuckDb, oursIntoPostgres } from './ours-into-store.ts';
import {
  measureClickHouseQueries,
  measureDuckDbQueries,
  measurePostgresQueries,
  type StoreQueries,
} from './queries.ts';
import { rsyslogIntoPostgres } from './rsyslog-into-postgres.ts';
import type { StoreContender } from './store-contender.ts';
import type { StoreMeasurements, StoreStanding } from './store-table.ts';

export const STORE_CONTENDERS: readonly StoreContender[] = [
  oursIntoDuckDb(),
  oursIntoPostgres(),
  oursIntoClickHouse(),
  rsyslogIntoPostgres(8),
  rsyslogIntoPostgres(1),
];
/** Records that the slowest contender stores in half a minute. */
const MAX_LOG_MEGABYTES = 100;

interface Stage {
  readonly settings: BenchSettings;
  readonly say: (text: string) => void;
  /** undefined: there is none here. */
  readonly server: OwnPostgres | undefined;
  /** For one run at a time. */
  readonly directory: string;
}

/**
 * Measures writes into the stores, alternately, and then queries. Everything that needs PostgreSQL uses one
 * private server.
 */
export async function measureStores(
  settings: BenchSettings,
  say: (text: string) => void,
): Promise<StoreMeasurements> {
  const directory = join(settings.directory, 'stores');
  await mkdir(directory, { recursive: true });
  const megabytes = Math.min(settings.megabytes, MAX_LOG_MEGABYTES);
  const log = await writeAccessLog(join(directory, 'source.log'), megabytes, 3);
  const server = await startPostgres(join(directory, 'postgres'), say);
  try {
    const stage = { settings, say, server, directory: join(directory, 'course') };
    const { standings, versions } = await compete(stage, log);
    return { log, versions, standings, queries: await ask(stage) };
  } finally {
    await server?.stop();
  }
}

async function startPostgres(
  directory: string,
  say: (text: string) => void,
): Promise<OwnPostgres | undefined> {
  try {
    if (!OwnPostgres.isInstalled()) installPackage('postgresql');
    const server = await OwnPostgres.create({ directory });
    await server.start();
    return server;
  } catch (error) {
    say(`SKIPPED everything with PostgreSQL: ${errorMessage(error)}`);
    return undefined;
  }
}

async function compete(
  { settings, say, server, directory }: Stage,
  log: WrittenLog,
): Promise<Pick<StoreMeasurements, 'standings' | 'versions'>> {
  const versions: string[] = server === undefined ? [] : [`PostgreSQL ${server.version}`];
  const standings: (StoreStanding & { contender: StoreContender; runs: Ingest[]; failures: string[] })[] = [];
  for (const contender of STORE_CONTENDERS.filter(({ key }) => runsContender(settings, key))) {
    try {
      versions.push(`${contender.name} ${await contender.prepare()}`);
      const { name, key } = contender;
      standings.push({ contender, name, key, runs: [], failures: [] });
    } catch (error) {
      say(`SKIPPED ${contender.name}: ${errorMessage(error)}`);
    }
  }
  for (let round = 1; round <= settings.rounds; round++) {
    for (const { contender, runs, failures } of standings) {
      if (contender.runsOnce && round > 1) continue;
      const label = `stores, round ${round}, ${contender.name}`;
      try {
        const ingest = await runIngest({ contender, log, server, directory });
        runs.push(ingest);
        const found =
          ingest.stored.rows === log.lines ? 'complete' : `${ingest.stored.rows} OF ${log.lines} ROWS`;
        say(`${label}: ${Math.round(log.lines / ingest.seconds).toLocaleString('en-US')} rows/s, ${found}`);
      } catch (error) {
        failures.push(errorMessage(error));
        say(`${label}: FAILED: ${errorMessage(error)}`);
      }
    }
  }
  return { standings, versions };
}

async function ask({ settings, say, server, directory }: Stage): Promise<StoreQueries[]> {
  const { storeRows } = settings;
  const measurements = [
    { store: 'DuckDB', measure: () => measureDuckDbQueries(directory, storeRows) },
    ...(server === undefined
      ? []
      : [{ store: 'PostgreSQL', measure: () => measurePostgresQueries(server, storeRows) }]),
    ...(OwnClickHouse.isInstalled()
      ? [{ store: 'ClickHouse', measure: () => measureClickHouseQueries(directory, storeRows) }]
      : []),
  ];
  const queries: StoreQueries[] = [];
  for (const { store, measure } of measurements) {
    say(`Asking ${store}, with ${storeRows.toLocaleString('en-US')} rows`);
    try {
      queries.push(await measure());
    } catch (error) {
      say(`FAILED asking ${store}: ${errorMessage(error)}`);
    }
  }
  return queries;
}
