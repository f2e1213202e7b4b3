import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { STORE_ROLE } from '../../../testkit/documented-database.ts';
import { OwnPostgres, type OwnPostgresPlan } from '../../../testkit/own-postgres.ts';
import type { Random } from '../../../testkit/random.ts';
import type { Fault } from '../faults.ts';
import { UnreliableProxy, type Weather } from '../unreliable-proxy.ts';
import { type ChaosStore, ROWS, type StoredRow } from './chaos-store.ts';

const DATABASE = 'logs';
const FETCHED_ROWS = 10_000;
const TERMINATE_EVERY_MS = 150;

/** A private server with a proxy before it; the aggregators connect only to the proxy. */
export async function postgresStore(
  directory: string,
  random: Random,
  onStderr: (chunk: Buffer) => void,
): Promise<ChaosStore> {
  // Data that a killed process wrote stays in the kernel: flushing would prove nothing here.
  const settings = { fsync: 'off', log_min_messages: 'fatal' };
  return await openStore(await startServer({ directory, settings, onStderr }), random);
}

/** The same with TimescaleDB, which must be installed in the directories of PostgreSQL. */
export async function timescaleStore(
  directory: string,
  random: Random,
  onStderr: (chunk: Buffer) => void,
): Promise<ChaosStore> {
  const settings = {
    ...{ fsync: 'off', log_min_messages: 'fatal' },
    ...{ shared_preload_libraries: 'timescaledb', 'timescaledb.telemetry_level': 'off' },
  };
  const server = await startServer({ directory, settings, onStderr });
  const store = await openStore(server, random);
  return {
    ...store,
    faults: [...store.faults, compressedChunks(server)],
    async *rows() {
      await assertHypertable(server);
      yield* store.rows();
    },
  };
}

async function startServer({ directory, ...plan }: OwnPostgresPlan): Promise<OwnPostgres> {
  const server = await OwnPostgres.create({ ...plan, directory: join(directory, 'postgres') });
  await server.start();
  await server.createStoreDatabase(DATABASE);
  return server;
}

async function openStore(server: OwnPostgres, random: Random): Promise<ChaosStore> {
  const proxy = await UnreliableProxy.start(server.port, random);
  return {
    environment: {
      AGGREGATOR_POSTGRES_CONFIGURATION: JSON.stringify({
        url: server.url(DATABASE, proxy.port, STORE_ROLE),
      }),
    },
    faults: [
      absentServer(server),
      restartedServer(server),
      killedSession(server, random),
      frozenServer(server),
      terminatedSessions(server),
      lockedStreams(server),
      weather(proxy, 'cutting', 'connections to PostgreSQL break'),
      weather(proxy, 'forgetful', 'answers to COMMIT are lost'),
      weather(proxy, 'becalmed', 'no bytes pass between the aggregator and PostgreSQL'),
    ],
    rows: () => rowsOf(server),
    async close() {
      proxy.stop();
      server.thaw();
      await server.kill();
    },
  };
}

function absentServer(server: OwnPostgres): Fault {
  return {
    name: 'PostgreSQL is killed and stays down',
    stopsDelivery: true,
    begin: () => server.kill(),
    end: () => server.start(),
  };
}

function restartedServer(server: OwnPostgres): Fault {
  return {
    name: 'PostgreSQL is restarted at once',
    async begin() {
      await server.stopImmediately();
      await server.start();
    },
    end() {},
  };
}

function killedSession(server: OwnPostgres, random: Random): Fault {
  return {
    name: 'a session of PostgreSQL is killed',
    async begin() {
      server.killSession((sessions) => random.pick(sessions));
    },
    end: () => server.start(),
  };
}

function frozenServer(server: OwnPostgres): Fault {
  return {
    name: 'PostgreSQL is suspended',
    stopsDelivery: true,
    begin: () => server.freeze(),
    end: () => server.thaw(),
  };
}

/** Repeatedly terminates all sessions, as an administrator may do. */
function terminatedSessions(server: OwnPostgres): Fault {
  return repeated('an administrator ends all sessions', async (isOver) => {
    await server.query(async (client) => {
      while (!isOver()) {
        await client.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and client_port is not null',
        );
        await sleep(TERMINATE_EVERY_MS);
      }
    });
  });
}

/** Another client holds a lock that every flush needs. */
function lockedStreams(server: OwnPostgres): Fault {
  return repeated('another client has locked the streams', async (isOver) => {
    await server.query(async (client) => {
      await client.query('begin');
      await client.query('lock table mega_collector.streams in share row exclusive mode');
      while (!isOver()) await sleep(TERMINATE_EVERY_MS);
      await client.query('rollback');
    }, DATABASE);
  });
}

/** Records arrive in compressed chunks, and while a chunk is compressed. */
function compressedChunks(server: OwnPostgres): Fault {
  return repeated('chunks of TimescaleDB are compressed', async (isOver) => {
    await server.query(async (client) => {
      while (!isOver()) {
        await client.query(COMPRESS).catch(() => {});
        await sleep(TERMINATE_EVERY_MS);
      }
    }, DATABASE);
  });
}

const COMPRESS = `select compress_chunk(chunk, if_not_compressed => true)
  from show_chunks('mega_collector.log_records') as chunk`;

/** The run would prove nothing about TimescaleDB. */
async function assertHypertable(server: OwnPostgres): Promise<void> {
  await server.query(async (client) => {
    const { rowCount } = await client.query(
      `select from timescaledb_information.hypertables where hypertable_name = 'log_records'`,
    );
    if (rowCount !== 1) throw new Error('log_records is no hypertable');
  }, DATABASE);
}

/** The load during a fault. It may fail: the tables may not exist yet. */
function repeated(name: string, work: (isOver: () => boolean) => Promise<void>): Fault {
  let isOver = false;
  let working: Promise<void> = Promise.resolve();
  return {
    name,
    begin() {
      isOver = false;
      working = work(() => isOver).catch(() => {});
    },
    async end() {
      isOver = true;
      await working;
    },
  };
}

function weather(proxy: UnreliableProxy, while_: Weather, name: string): Fault {
  return {
    name,
    ...(while_ === 'becalmed' && { stopsDelivery: true as const }),
    begin() {
      proxy.weather = while_;
    },
    end() {
      proxy.weather = 'fair';
    },
  };
}

async function* rowsOf(server: OwnPostgres): AsyncIterable<readonly StoredRow[]> {
  const client = await server.connect(DATABASE);
  try {
    await client.query('set search_path = mega_collector; begin');
    await client.query(`declare audited cursor for ${ROWS}`);
    for (;;) {
      const { rows } = await client.query<{ stream: string; position: string; body: string }>(
        `fetch ${FETCHED_ROWS} from audited`,
      );
      if (rows.length === 0) return;
      yield rows.map((row) => ({ ...row, position: Number(row.position) }));
    }
  } finally {
    await client.end();
  }
}
