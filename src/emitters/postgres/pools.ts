import { Client, Pool, type PoolConfig } from 'pg';
import { clientSettings, placeOf } from './client-settings.ts';
import type { PostgresConfiguration } from './configuration.ts';
import { RESULT_TYPES } from './result-types.ts';

/** One for writing, one for maintenance. */
const WRITER_CONNECTIONS = 2;
const READER_CONNECTIONS = 4;
const IDLE_MS = 60_000;

/** The connections of an emitter: queries and writes use separate pools and never wait for each other. */
export interface Pools {
  readonly writers: Pool;
  readonly readers: Pool;
  /** For messages. */
  readonly place: string;
  end(): Promise<unknown>;
}

export async function openPools(configuration: PostgresConfiguration): Promise<Pools> {
  const settings = await clientSettings(configuration);
  const shared = { ...settings, idleTimeoutMillis: IDLE_MS, allowExitOnIdle: true };
  const writers = connectionPool({ ...shared, max: WRITER_CONNECTIONS });
  const readers = connectionPool({ ...shared, max: READER_CONNECTIONS, types: RESULT_TYPES });
  return {
    writers,
    readers,
    place: placeOf(new Client(settings)),
    end: () => Promise.all([writers.end(), readers.end()]),
  };
}

/** A pool whose broken connections do not end the process: the query on a broken connection rejects. */
function connectionPool(config: PoolConfig): Pool {
  const pool = new Pool(config);
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}

function ignore(): void {}
