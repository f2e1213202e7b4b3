import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { freePorts } from '../../testkit/free-ports.ts';
import { productIsBuilt, untilReady } from '../../testkit/product.ts';
import { findLogDaemon, type LogDaemon, startLogDaemon } from '../support/log-daemons.ts';
import { markdownBlocks } from '../support/markdown-blocks.ts';
import { POSTGRES_PROGRAMS, startPostgres } from '../support/postgres-server.ts';
import { testProduct } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const run = promisify(execFile);
const LOGGER = '/usr/bin/logger';
const rsyslog = findLogDaemon('rsyslog', 'omrelp');
const PATIENT = { timeout: 120_000, interval: 100 };
const MESSAGES = 1500;
const KILL_AFTER = 500;

/** The configuration of a client in the page, for this port and with a shorter interval. */
function clientConfiguration(socket: string, directory: string, port: number): string {
  const [block] = markdownBlocks('docs/from-pyloggr.md').filter(({ text }) => text.includes('omrelp'));
  const action = (block?.text ?? '')
    .replace('target="logs.example.com" port="2514"', `target="127.0.0.1" port="${port}"`)
    .replace('action.resumeInterval="30"', 'action.resumeInterval="1"');
  expect(action).toContain(`port="${port}"`);
  return `global(workDirectory="${directory}")
    module(load="imuxsock" SysSock.Use="off")
    input(type="imuxsock" Socket="${socket}" RateLimit.Interval="0")
    ${action}`;
}

async function log(socket: string, from: number, to: number): Promise<void> {
  const lines = Array.from({ length: to - from }, (_, i) => `number ${from + i}`).join('\n');
  const child = run(LOGGER, ['--socket', socket, '--tag', 'test']);
  child.child.stdin?.end(`${lines}\n`);
  await child;
}

describe.skipIf(
  !productIsBuilt() || POSTGRES_PROGRAMS === undefined || rsyslog === undefined || !existsSync(LOGGER),
)('the worked example of from-pyloggr.md', () => {
  it('stores each message of rsyslog in PostgreSQL, also when the server is killed in between', {
    timeout: 240_000,
  }, async () => {
    const directory = await temporaryDirectory();
    const postgres = await startPostgres();
    await postgres.createStoreDatabase('logs');
    const [port = 0, ...http] = await freePorts(3);
    const [aggregatorHttp = '', collectorHttp = ''] = http.map((each) => `127.0.0.1:${each}`);
    const url = `postgresql://collector@localhost/logs?host=${postgres.socketDirectory}&port=${postgres.port}`;
    const env = {
      COLLECTOR_SYSLOG_CONFIGURATION: JSON.stringify([{ listen: `relp://127.0.0.1:${port}` }]),
      AGGREGATOR_POSTGRES_CONFIGURATION: JSON.stringify({ url, retention_age: '720h' }),
      AGGREGATOR_STATE_DIRECTORY: join(directory, 'aggregator'),
      COLLECTOR_STATE_DIRECTORY: join(directory, 'collector'),
      AGGREGATOR_HTTP_ADDRESS: aggregatorHttp,
      COLLECTOR_HTTP_ADDRESS: collectorHttp,
    };
    const start = async () => {
      const server = testProduct({ subcommand: 'standalone', env });
      await untilReady(server, collectorHttp);
      return server;
    };
    const stored = async (select: string) =>
      (await postgres.sql(`select ${select} from mega_collector.logs`, { database: 'logs' })).trim();
    const distinct = `count(distinct substring(body from 'number ([0-9]+)'))`;

    const server = await start();
    const socket = join(directory, 'log');
    const configuration = clientConfiguration(socket, directory, port);
    await startLogDaemon(rsyslog as LogDaemon, directory, configuration);
    await expect.poll(() => existsSync(socket), PATIENT).toBe(true);
    await log(socket, 0, KILL_AFTER);
    await expect.poll(() => stored(distinct).then(Number, () => 0), PATIENT).toBeGreaterThan(0);
    await server.kill();
    await log(socket, KILL_AFTER, MESSAGES - 1);
    await start();
    // omrelp does nothing while it has no new message.
    await log(socket, MESSAGES - 1, MESSAGES);

    await expect.poll(() => stored(distinct).then(Number), PATIENT).toBe(MESSAGES);
    const repeated = `count(*) filter (where attributes->>'megacollector.repeated' = 'true')`;
    const unmarked = `count(*) - ${repeated}`;
    expect(Number(await stored(unmarked))).toBeLessThanOrEqual(MESSAGES);
    expect(await stored(`min(service) || ' ' || count(distinct host)`)).toBe('test 1');
  });
});
