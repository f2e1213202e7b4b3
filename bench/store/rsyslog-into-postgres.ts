import { join } from 'node:path';
import { OwnPostgres } from '../../testkit/own-postgres.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';
import { ACCESS_LOG_RULE } from '../peers/access-log-rule.ts';
import { type UnpackedPackages, unpackDebianPackages } from '../peers/debian-packages.ts';
import { startRsyslog } from '../peers/start-rsyslog.ts';
import {
  databaseOf,
  NO_POSTGRES,
  type RunningIngest,
  type StoreContender,
  type StoreCourse,
  storedInPostgres,
} from './store-contender.ts';

export const RSYSLOG_PGSQL_PACKAGES = ['rsyslog-pgsql', 'rsyslog'] as const;
const NAME = 'rsyslog';

const TABLE = `create table access_log (
  time timestamptz not null, host text, client_address text, user_name text, http_request_method text, url_path text,
  network_protocol_version text, http_response_status_code smallint, http_response_body_size bigint, body text not null)`;

/**
 * Debian's rsyslog with ompgsql, one process from the file to the database: imfile, mmnormalize for the
 * fields, an INSERT for each row into a plain table without an index, and a transaction for each batch of the
 * queue. One worker keeps the order of the log; several do not, and are faster.
 */
export function rsyslogIntoPostgres(workers: 1 | 8): StoreContender {
  let packages: UnpackedPackages | undefined;
  return {
    name: workers === 1 ? 'rsyslog, ompgsql, in order' : `rsyslog, ompgsql, ${workers} workers`,
    key: `ompgsql-${workers}`,
    ...(workers === 1 && { runsOnce: true }),
    async prepare() {
      if (!OwnPostgres.isInstalled()) throw new Error(NO_POSTGRES);
      packages = await unpackDebianPackages(RSYSLOG_PGSQL_PACKAGES);
      return packages.version;
    },
    async start(course) {
      if (packages === undefined) throw new Error('prepare() comes first');
      const { server, database } = databaseOf(course);
      await server.query((client) => client.query(TABLE), database);
      return await running(
        course,
        await startRsyslog(
          { name: NAME, directory: course.directory, configuration: configuration(course, workers) },
          packages,
        ),
      );
    },
  };
}

async function running(course: StoreCourse, sender: RunningProcess): Promise<RunningIngest> {
  const { server, database } = databaseOf(course);
  const client = await server.connect(database);
  const ask = async (statement: string) =>
    Number((await client.query<{ rows: string }>(statement)).rows[0]?.rows);
  let isNearEnd = false;
  return {
    sender,
    receiver: undefined,
    // A count reads the whole table, so PostgreSQL's statistics are used until the end is near.
    async storedRows() {
      if (!isNearEnd) {
        const rows = await ask(NEARLY);
        isNearEnd = rows >= NEAR * course.rows;
        if (!isNearEnd) return rows;
      }
      return await ask('select count(*) as rows from access_log');
    },
    async finish() {
      await client.end();
      await sender.kill();
      return await storedInPostgres(course, 'access_log');
    },
  };
}

const NEAR = 0.9;
/** A worker reports this at most once a second. */
const NEARLY = `select n_tup_ins as rows from pg_stat_user_tables where relname = 'access_log'`;

const COLUMNS = [
  '$!time',
  'hostname',
  ...['$!client', '$!user', '$!method', '$!path', '$!version', '$!status', '$!size'],
  'msg',
];

function configuration(course: StoreCourse, workers: number): string {
  const { server, database } = databaseOf(course);
  const values = COLUMNS.map((name) => `property(name="${name}")`).join(` constant(value="','") `);
  return `
global(
  workDirectory="${join(course.directory, NAME)}"
  maxMessageSize="64k"
  net.enableDNS="off"
  parser.escapeControlCharactersOnReceive="off"
  processInternalMessages="off"
)
module(load="imfile" mode="inotify")
module(load="mmnormalize")
module(load="ompgsql")
# option.stdsql: quotes are doubled, as PostgreSQL wants it.
template(name="row" type="list" option.stdsql="on") {
  constant(value="insert into access_log values ('") ${values} constant(value="')")
}
input(
  type="imfile" file="${course.logDirectory}/*.log" tag="log" ruleset="store"
  addMetadata="off" readTimeout="0"
  persistStateInterval="20000"
)
# A batch is a transaction: large ones; larger than this made nothing faster. Each worker has a connection of its own.
ruleset(
  name="store"
  queue.type="FixedArray"
  queue.size="200000"
  queue.dequeueBatchSize="4096"
  queue.workerThreads="${workers}"
  queue.workerThreadMinimumMessages="5000"
  queue.timeoutEnqueue="600000"
) {
  action(type="mmnormalize" rule=${ACCESS_LOG_RULE})
  action(
    type="ompgsql" conninfo="${server.url(database)}" template="row"
    action.resumeRetryCount="-1" action.resumeInterval="1"
  )
}
`;
}
