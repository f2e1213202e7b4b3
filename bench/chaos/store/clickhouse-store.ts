import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { OwnClickHouse } from '../../../testkit/clickhouse/own-clickhouse.ts';
import type { Random } from '../../../testkit/random.ts';
import type { Fault } from '../faults.ts';
import { UnreliableProxy, type Weather } from '../unreliable-proxy.ts';
import type { ChaosStore, StoredRow } from './chaos-store.ts';

const DATABASE = 'chaos';
const YIELDED_ROWS = 10_000;

/** A private server with a proxy before it; the aggregators connect only to the proxy. */
export async function clickhouseStore(
  directory: string,
  random: Random,
  onStderr: (chunk: Buffer) => void,
): Promise<ChaosStore> {
  const server = await OwnClickHouse.create({ directory: join(directory, 'clickhouse'), onStderr });
  await server.start();
  const proxy = await UnreliableProxy.start(server.port, random);
  return {
    environment: {
      // Data that a killed process wrote stays in the kernel: flushing would prove nothing here.
      AGGREGATOR_CLICKHOUSE_CONFIGURATION: JSON.stringify({
        ...{ url: server.url(proxy.port), database: DATABASE, fsync: false, timeout: '10s' },
      }),
    },
    faults: [
      absentServer(server),
      restartedServer(server),
      frozenServer(server),
      weather(proxy, 'cutting', 'connections to ClickHouse break'),
      weather(proxy, 'forgetful', 'answers to INSERT are lost'),
      weather(proxy, 'becalmed', 'no bytes pass between the aggregator and ClickHouse'),
    ],
    rows: () => rowsOf(server),
    async close() {
      proxy.stop();
      server.thaw();
      await server.kill();
    },
  };
}

function absentServer(server: OwnClickHouse): Fault {
  return {
    name: 'ClickHouse is killed and stays down',
    stopsDelivery: true,
    begin: () => server.kill(),
    end: () => server.start(),
  };
}

function restartedServer(server: OwnClickHouse): Fault {
  return {
    name: 'ClickHouse is killed and restarted at once',
    async begin() {
      await server.kill();
      await server.start();
    },
    end() {},
  };
}

function frozenServer(server: OwnClickHouse): Fault {
  return {
    name: 'ClickHouse is suspended',
    stopsDelivery: true,
    begin: () => server.freeze(),
    end: () => server.thaw(),
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

/** In the order of `ROWS`. `final`: as every reader sees the rows. */
const READ_ROWS = `
  select r.stream as stream, r.position as position, r.body as body
  from ${DATABASE}.log_records as r
  join (select stream, minIf(left(body, 24), body not like '#%') as head from ${DATABASE}.log_records group by stream) as heads
    on heads.stream = r.stream
  order by heads.head, r.stream, r.position
  format JSONEachRow`;

async function* rowsOf(server: OwnClickHouse): AsyncIterable<readonly StoredRow[]> {
  const parameters = 'output_format_json_quote_64bit_integers=0&final=1';
  const response = await fetch(`${server.url()}/?${parameters}`, { method: 'POST', body: READ_ROWS });
  if (!response.ok || response.body === null) throw new Error(await response.text());
  let rows: StoredRow[] = [];
  for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
    rows.push(JSON.parse(line) as StoredRow);
    if (rows.length < YIELDED_ROWS) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}
