import type { ClientBase, PoolClient } from 'pg';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { logRecordColumns, STORE_TABLES, tableIn } from '../../logstore/schema.ts';
import { lockStatement } from './advisory-locks.ts';
import { createPartitionedTable } from './partitions.ts';
import { createHypertable, findTimescale, type TimescaleFinding } from './timescale.ts';
import { updateLogsView } from './update-logs-view.ts';

/**
 * Creates the tables in this version if they are missing, in the transaction of `client`. A concurrent second
 * caller waits for the first (advisory lock). Throws NewerSchemaError.
 */
export async function migrate(client: PoolClient, migration: Migration): Promise<LayoutFinding> {
  const { schema } = migration;
  await refuseOtherEncodings(client);
  const finding = await prepareTables(client, migration);
  await updateLogsView(client, schema);
  return finding;
}

/** How `log_records` is partitioned by time: by PostgreSQL or by TimescaleDB. Decided when it is created. */
export type Layout = 'native' | 'timescale';

/** The layout and its reason. `remedy`: how the operator can enable TimescaleDB. */
export interface LayoutFinding {
  readonly layout: Layout;
  readonly reason: string;
  readonly remedy?: string;
}

export interface Migration {
  readonly schema: string;
  readonly timescale: 'auto' | 'off';
  readonly nowUnixMs: number;
}

export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/** The schema version of this code. No older one exists; a newer one is not modified. */
const VERSION = 1;

async function prepareTables(client: PoolClient, migration: Migration): Promise<LayoutFinding> {
  const { schema } = migration;
  const found = await versionOf(client, schema);
  if (found?.version === VERSION) {
    await addTables(client, schema);
    return await existing(client, found.layout);
  }
  await client.query(lockStatement('migration', schema));
  const now = await versionOf(client, schema);
  if (now !== undefined && now.version > VERSION) {
    throw new NewerSchemaError(
      `the schema "${schema}" has version ${now.version}, and this program supports versions up to ${VERSION}`,
    );
  }
  return now === undefined ? await create(client, migration) : await existing(client, now.layout);
}

/** Creates the tables that an earlier program did not know. It ignores them, so the version stays. */
async function addTables(client: PoolClient, schema: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = $1 and relkind = 'r'`,
    [schema],
  );
  const names = new Set(rows.map(({ name }) => name));
  const missing = STORE_TABLES.filter((text) => !names.has(tableIn(text)));
  if (missing.length === 0) return;
  await client.query(lockStatement('migration', schema));
  for (const table of missing) await client.query(table);
}

/** Existing tables keep their layout. */
async function existing(client: PoolClient, layout: Layout): Promise<LayoutFinding> {
  const reason = 'the tables were created with this layout';
  if (layout === 'timescale') return { layout, reason };
  const { rowCount } = await client.query(`select from pg_extension where extname = 'timescaledb'`);
  if (rowCount === 0) return { layout, reason };
  return {
    layout,
    reason: 'the tables were created before the extension timescaledb, and keep their layout',
    remedy: 'to use a hypertable, configure another "schema" or another database',
  };
}

async function versionOf(
  client: PoolClient,
  schema: string,
): Promise<{ version: number; layout: Layout } | undefined> {
  // Reads the catalogue directly: `to_regclass` does not see a table that appears after its first lookup.
  const { rowCount } = await client.query(
    `select from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = $1 and relname = 'store_version'`,
    [schema],
  );
  if (rowCount === 0) return undefined;
  const { rows } = await client.query<{ version: number; layout: Layout }>(
    'select version, layout from store_version order by version desc limit 1',
  );
  return rows[0];
}

async function create(
  client: PoolClient,
  { schema, timescale, nowUnixMs }: Migration,
): Promise<LayoutFinding> {
  await refuseOldServer(client);
  // Checked first: a role that only owns its schema may not execute `create schema`.
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema]);
  if (rowCount === 0) await client.query(`create schema "${schema}"`);
  for (const table of STORE_TABLES) await client.query(table);
  for (const index of INDEXES) await client.query(index);
  const finding = timescale === 'auto' ? await findTimescale(client) : SWITCHED_OFF;
  const { extension } = finding;
  const columns = logRecordColumns('jsonb');
  if (extension === undefined) await createPartitionedTable(client, columns, nowUnixMs);
  else await createHypertable(client, columns, extension);
  await client.query(`create index log_records_time on ${LOG_TABLE} (time)`);
  await client.query(
    'create table store_version (version int primary key, layout text not null, since timestamptz not null)',
  );
  const layout: Layout = extension === undefined ? 'native' : 'timescale';
  await client.query('insert into store_version values ($1, $2, now())', [VERSION, layout]);
  return extension === undefined
    ? { layout, reason: finding.reason, ...(finding.remedy !== undefined && { remedy: finding.remedy }) }
    : { layout, reason: 'the database has the extension timescaledb' };
}

const SWITCHED_OFF: TimescaleFinding = { extension: undefined, reason: '"timescale" is "off"' };

/** Other encodings cannot store every text: single records would be rejected. */
/** Throws if records cannot be stored in this database. Reads only settings. */
export async function refuseUnusableServer(client: Queries): Promise<void> {
  await refuseOldServer(client);
  await refuseOtherEncodings(client);
}

type Queries = Pick<ClientBase, 'query'>;

async function refuseOtherEncodings(client: Queries): Promise<void> {
  const { rows } = await client.query<{ encoding: string; database: string }>(
    `select current_setting('server_encoding') as encoding, current_database() as database`,
  );
  const [found] = rows;
  if (found === undefined || found.encoding === 'UTF8') return;
  throw new Error(
    `the database "${found.database}" has the encoding ${found.encoding}, and log records need UTF8: run ` +
      `"create database NAME encoding 'UTF8' template template0", and set "database" to NAME`,
  );
}

/** Searches require `date_bin`. */
const OLDEST_SERVER = 140_000;

async function refuseOldServer(client: Queries): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version`,
  );
  const [server] = rows;
  if (server === undefined || server.number >= OLDEST_SERVER) return;
  throw new Error(`PostgreSQL must be version ${OLDEST_SERVER / 10_000} or newer, got ${server.version}`);
}

const INDEXES = [
  'create index stored_ranges_flush on stored_ranges (writer, flush)',
  'create index touched_minutes_flush on touched_minutes (writer, flush)',
  'create index metric_points_bucket on metric_points (metric, bucket)',
  'create index alert_history_at on alert_history (alert, at)',
];
