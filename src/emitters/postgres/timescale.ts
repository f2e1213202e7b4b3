import type { PoolClient } from 'pg';
import { LOG_TABLE } from '../../store/log-columns.ts';

/**
 * `log_records` as a TimescaleDB hypertable: chunks of a day, made and found by the extension. Only functions that every
 * edition from 2.0 on has are needed; compression, which the Apache edition lacks, is tried.
 *
 * The functions lie in the schema that the extension was created in, which is not on our search path.
 */
export interface Timescale {
  readonly schema: string;
}

const COMPRESS_AFTER = '7 days';

/** undefined: it is not installed in this database, and we may not or cannot install it. */
export async function findTimescale(client: PoolClient): Promise<Timescale | undefined> {
  const installed = await schemaOf(client);
  if (installed !== undefined) return installed;
  // A server that has not loaded it ends the connection of who creates it.
  const { rowCount } = await client.query(
    `select from pg_available_extensions, pg_settings where pg_available_extensions.name = 'timescaledb'
       and pg_settings.name = 'shared_preload_libraries' and setting ~ '\\mtimescaledb\\M'`,
  );
  if (rowCount === 0) return undefined;
  const isCreated = await attempt(client, 'create extension if not exists timescaledb with schema public');
  return isCreated ? await schemaOf(client) : undefined;
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
  const canCompress = await attempt(
    client,
    `alter table ${LOG_TABLE} set (timescaledb.compress, timescaledb.compress_orderby = 'time desc, stream, position')`,
  );
  if (!canCompress) return;
  await attempt(
    client,
    `select ${timescale}.add_compression_policy('${LOG_TABLE}', interval '${COMPRESS_AFTER}', if_not_exists => true)`,
  );
}

/** Whole chunks, each at once. */
export async function dropChunks(client: PoolClient, cutoffUnixMs: number): Promise<number> {
  const timescale = await schemaOf(client);
  if (timescale === undefined) return 0;
  const { rowCount } = await client.query(
    `select ${quoted(timescale.schema)}.drop_chunks('${LOG_TABLE}', older_than => to_timestamp($1::float8))`,
    [cutoffUnixMs / 1000],
  );
  return rowCount ?? 0;
}

async function schemaOf(client: PoolClient): Promise<Timescale | undefined> {
  const { rows } = await client.query<Timescale>(
    `select nspname as schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
     where extname = 'timescaledb'`,
  );
  return rows[0];
}

/** What may be refused (by privilege, by edition) without harm to the transaction. */
async function attempt(client: PoolClient, statement: string): Promise<boolean> {
  await client.query('savepoint attempt');
  try {
    await client.query(statement);
    await client.query('release savepoint attempt');
    return true;
  } catch {
    await client.query('rollback to savepoint attempt');
    return false;
  }
}

/** From the server's own catalogue. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
