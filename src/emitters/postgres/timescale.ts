import type { PoolClient } from 'pg';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { lockStatement } from './advisory-locks.ts';
import type { ExpiredSpan } from './expired-span.ts';

/**
 * `log_records` as a TimescaleDB hypertable with chunks of one day, managed by the extension. It requires
 * only functions of every edition since 2.0; compression, which the Apache edition lacks, is optional.
 *
 * The functions are in the schema of the extension, which is not in the search path of this emitter.
 */
export interface Timescale {
  readonly schema: string;
}

const COMPRESS_AFTER = '7 days';

/** The extension, or the reason why it is not used. */
export type TimescaleFinding =
  | { readonly extension: Timescale }
  | { readonly extension: undefined; readonly reason: string; readonly remedy?: string };

const CREATE = 'create extension timescaledb';

/**
 * Finds the extension in this database, and creates it if this role has the permission. An ordinary role
 * cannot see the loaded libraries of a server, but it can see the settings that a loaded library defines. A
 * server without the library closes the connection of a client that creates the extension, so this is not
 * attempted.
 */
export async function findTimescale(client: PoolClient): Promise<TimescaleFinding> {
  const installed = await schemaOf(client);
  if (installed !== undefined) return await usable(client, installed);
  const { rows } = await client.query<{ available: boolean; loaded: boolean }>(
    `select exists (select from pg_available_extensions where name = 'timescaledb') as available,
       exists (select from pg_settings where name like 'timescaledb.%') as loaded`,
  );
  const { available = false, loaded = false } = rows[0] ?? {};
  if (!available) return { extension: undefined, reason: 'the server does not have TimescaleDB' };
  if (!loaded) {
    return {
      extension: undefined,
      reason: 'the server has TimescaleDB, but has not loaded it',
      remedy: `add timescaledb to shared_preload_libraries, restart the server, run "${CREATE}" in this database`,
    };
  }
  return await createExtension(client);
}

async function usable(client: PoolClient, extension: Timescale): Promise<TimescaleFinding> {
  const { rows } = await client.query<{ usable: boolean; role: string }>(
    `select has_schema_privilege($1, 'usage') as usable, current_user as role`,
    [extension.schema],
  );
  const { usable: isUsable = false, role = '' } = rows[0] ?? {};
  if (isUsable) return { extension };
  return {
    extension: undefined,
    reason: `this role may not use the schema "${extension.schema}" of the extension timescaledb`,
    remedy: `run "grant usage on schema ${quoted(extension.schema)} to ${quoted(role)}" in this database as a superuser`,
  };
}

async function createExtension(client: PoolClient): Promise<TimescaleFinding> {
  const failure = await attempt(client, `${CREATE} with schema public`);
  const extension = failure === undefined ? await schemaOf(client) : undefined;
  if (extension !== undefined) return { extension };
  const reason = `this role cannot create the extension timescaledb: ${failure ?? 'it is not there afterwards'}`;
  return { extension: undefined, reason, remedy: `run "${CREATE}" in this database as a superuser` };
}

export async function createHypertable(
  client: PoolClient,
  columns: string,
  { schema }: Timescale,
): Promise<void> {
  await client.query(`create table ${LOG_TABLE} (${columns})`);
  const timescale = quoted(schema);
  await client.query(
    `select ${timescale}.create_hypertable('${LOG_TABLE}', 'time', chunk_time_interval => interval '1 day',
       create_default_indexes => false)`,
  );
  const refusal = await attempt(
    client,
    `alter table ${LOG_TABLE} set (timescaledb.compress, timescaledb.compress_orderby = 'time desc, stream, position')`,
  );
  if (refusal !== undefined) return;
  await attempt(
    client,
    `select ${timescale}.add_compression_policy('${LOG_TABLE}', interval '${COMPRESS_AFTER}', if_not_exists => true)`,
  );
}

/** The chunks that ended before `cutoff`, oldest first. */
export async function chunksBefore(
  client: PoolClient,
  schema: string,
  cutoffUnixMs: number,
): Promise<readonly ExpiredSpan[]> {
  const timescale = await schemaOf(client);
  if (timescale === undefined) return [];
  const { rows } = await client.query<{ schema: string; name: string; from: string; to: string }>(
    `select chunk_schema as schema, chunk_name as name, range_start::text as from, range_end::text as to
     from timescaledb_information.chunks where hypertable_schema = $1 and hypertable_name = '${LOG_TABLE}'
       and range_end <= to_timestamp($2::float8) order by range_start`,
    [schema, cutoffUnixMs / 1000],
  );
  const text = `select ${quoted(timescale.schema)}.drop_chunks('${LOG_TABLE}', newer_than => $1::timestamptz,
    older_than => $2::timestamptz)`;
  return rows.map(({ schema: chunkSchema, name, from, to }) => ({
    name,
    table: `${quoted(chunkSchema)}.${quoted(name)}`,
    drop: { text, values: [from, to] },
  }));
}

/**
 * The length of chunks in days. Each chunk costs locks and planning time for each search, so their number is
 * limited as for partitions: from 1,000 chunks on, new ones have 30 days.
 */
export async function boundChunks(client: PoolClient, schema: string): Promise<void> {
  const { rows } = await client.query<{ chunks: number; days: number }>(
    `select (select count(*)::int from timescaledb_information.chunks
        where hypertable_schema = $1 and hypertable_name = '${LOG_TABLE}') as chunks, ${DAYS_OF_CHUNK} as days`,
    [schema],
  );
  const [found] = rows;
  if (found === undefined) return;
  const days = found.chunks < MAX_DAY_CHUNKS ? 1 : LONG_CHUNK_DAYS;
  if (days !== found.days) await setChunkDays(client, days);
}

const MAX_DAY_CHUNKS = 1000;
const LONG_CHUNK_DAYS = 30;

/**
 * One transaction creates at most about 230 chunks, since the server has a limited number of locks. Records
 * of more than `maxDays` days are stored with the next longer chunks. `days`: undefined keeps the setting of
 * the table.
 */
export const CHUNK_LENGTHS: readonly { readonly days?: number; readonly maxDays?: number }[] = [
  { maxDays: 60 },
  { days: LONG_CHUNK_DAYS, maxDays: 60 * LONG_CHUNK_DAYS },
  { days: 365 },
];

const DAYS_OF_CHUNK = `(select (extract(epoch from time_interval) / 86400)::int from timescaledb_information.dimensions
  where hypertable_schema = $1 and hypertable_name = '${LOG_TABLE}' and dimension_number = 1)`;

/**
 * Runs `work` with new chunks of this length, and then restores the setting. Other transactions never see the
 * change.
 */
export async function withChunksOf<T>(
  client: PoolClient,
  { schema, days }: { readonly schema: string; readonly days: number },
  work: () => Promise<T>,
): Promise<T> {
  await client.query(lockStatement('partitions', schema));
  const { rows } = await client.query<{ days: number }>(`select ${DAYS_OF_CHUNK} as days`, [schema]);
  await setChunkDays(client, days);
  const result = await work();
  await setChunkDays(client, rows[0]?.days ?? 1);
  return result;
}

async function setChunkDays(client: PoolClient, days: number): Promise<void> {
  const timescale = await schemaOf(client);
  if (timescale === undefined) return;
  await client.query(
    `select ${quoted(timescale.schema)}.set_chunk_time_interval('${LOG_TABLE}', make_interval(days => $1))`,
    [days],
  );
}

async function schemaOf(client: PoolClient): Promise<Timescale | undefined> {
  const { rows } = await client.query<Timescale>(
    `select nspname as schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
     where extname = 'timescaledb'`,
  );
  return rows[0];
}

/**
 * Runs a statement that may fail (missing privilege or edition) without aborting the transaction. Returns the
 * failure.
 */
async function attempt(client: PoolClient, statement: string): Promise<string | undefined> {
  await client.query('savepoint attempt');
  try {
    await client.query(statement);
    await client.query('release savepoint attempt');
    return undefined;
  } catch (error) {
    await client.query('rollback to savepoint attempt');
    return errorMessage(error);
  }
}

/** Quotes a name from the server's catalogue. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
