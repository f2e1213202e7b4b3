import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { findLogDaemon, type LogDaemon, startLogDaemon } from '../../../support/log-daemons.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { openedSource, PATIENT } from './opened-source.ts';

const run = promisify(execFile);
const SLOW = { timeout: 60_000, interval: 50 };
const TCP = 'tcp://127.0.0.1:0';
const UDP = 'udp://127.0.0.1:0';
const RELP = 'relp://127.0.0.1:0';
const LOGGER = '/usr/bin/logger';

describe.skipIf(!existsSync(LOGGER))('logger of util-linux', () => {
  it.each([
    ['lines', ['--tcp']],
    ['counts', ['--tcp', '--octet-count']],
    ['datagrams', ['--udp']],
  ])('sends %s', async (_what, options) => {
    const { port, texts, records } = await openedSource([{ listen: TCP }, { listen: UDP }]);
    const target = options.includes('--udp') ? UDP : TCP;
    const at = ['--server', '127.0.0.1', '--port', String(port(target)), ...options];
    for (let i = 0; i < 5; i++)
      await run(LOGGER, [...at, '--rfc5424', '--tag', 'app', '--priority', 'local0.warning', `message ${i}`]);
    await vi.waitFor(() => expect(texts()).toHaveLength(5), PATIENT);
    const bodies = records().map(({ body }) => body);
    expect(bodies.toSorted()).toEqual(Array.from({ length: 5 }, (_, i) => `message ${i}`));
    expect(records()[0]?.attributes.get('service.name')).toBe('app');
    expect(records()[0]?.severityNumber).toBe(13);
  });

  it('sends to Unix stream and datagram sockets', async () => {
    const directory = await temporaryDirectory();
    const paths = [join(directory, 'stream'), join(directory, 'datagram')] as const;
    const { texts } = await openedSource([
      { listen: `unix://${paths[0]}` },
      { listen: `unixgram://${paths[1]}` },
    ]);
    for (const path of paths) await run(LOGGER, ['--socket', path, '--tag', 'app', `at ${path}`]);
    await vi.waitFor(() => expect(texts()).toHaveLength(2), PATIENT);
    for (const path of paths) expect(texts().some((text) => text.endsWith(`app: at ${path}`))).toBe(true);
  });
});

const rsyslog = findLogDaemon('rsyslog');
const hasOmrelp = rsyslog !== undefined && existsSync(moduleOf(rsyslog, 'omrelp.so'));

function moduleOf({ args, command }: LogDaemon, name: string): string {
  const directories = args[1]?.split(':') ?? [join(command, '../../lib/x86_64-linux-gnu/rsyslog')];
  return directories.map((directory) => join(directory, name)).find(existsSync) ?? name;
}

const forwarding = (socket: string, action: string, modules = '') =>
  `module(load="imuxsock" SysSock.Use="off")\n${modules}
   input(type="imuxsock" Socket="${socket}" RateLimit.Interval="0")\naction(${action})\n`;

/** Writes numbered messages to rsyslog's socket. */
async function write(socket: string, from: number, to: number): Promise<void> {
  const lines = Array.from({ length: to - from }, (_, i) => `number ${from + i}`).join('\n');
  const child = run(LOGGER, ['--socket', socket, '--tag', 'test']);
  child.child.stdin?.end(`${lines}\n`);
  await child;
}

describe.skipIf(rsyslog === undefined)('rsyslog', () => {
  it.each([
    ['over TCP with lines', TCP, 'protocol="tcp"'],
    [
      'over TCP with counts',
      TCP,
      'protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"',
    ],
    ['over UDP', UDP, 'protocol="udp"'],
  ])('forwards %s', async (_what, listen, options) => {
    const directory = await temporaryDirectory();
    const socket = join(directory, 'log');
    const { port, records } = await openedSource([{ listen }]);
    const action = `type="omfwd" target="127.0.0.1" port="${port(listen)}" ${options}`;
    await startLogDaemon(rsyslog as LogDaemon, directory, forwarding(socket, action));
    await vi.waitFor(() => expect(existsSync(socket)).toBe(true), PATIENT);
    await write(socket, 0, 200);
    const numbers = () => records().flatMap(({ body }) => /number ([0-9]+)$/.exec(body)?.[1] ?? []);
    await vi.waitFor(() => expect(numbers()).toEqual(Array.from({ length: 200 }, (_, i) => String(i))), SLOW);
  });

  it.skipIf(!hasOmrelp)(
    'sends over RELP, and again after a restart of the source, without a loss',
    async () => {
      const directory = await temporaryDirectory();
      const socket = join(directory, 'log');
      const first = await openedSource([{ listen: RELP }]);
      const listen = `relp://127.0.0.1:${first.port(RELP)}`;
      const action = `type="omrelp" target="127.0.0.1" port="${first.port(RELP)}" windowsize="16" action.resumeRetryCount="-1" action.resumeInterval="1"`;
      const modules = `module(load="${moduleOf(rsyslog as LogDaemon, 'omrelp.so')}")`;
      await startLogDaemon(rsyslog as LogDaemon, directory, forwarding(socket, action, modules));
      await vi.waitFor(() => expect(existsSync(socket)).toBe(true), PATIENT);
      await write(socket, 0, 500);
      await vi.waitFor(() => expect(first.texts().length).toBeGreaterThan(100), SLOW);
      await first.close();
      await write(socket, 500, 600);
      const second = await openedSource([{ listen }], { directory: first.state });
      const numbers = () =>
        new Set(
          [...first.records(), ...second.records()].flatMap(
            ({ body }) => /number ([0-9]+)$/.exec(body)?.[1] ?? [],
          ),
        );
      await vi.waitFor(() => expect(numbers().size).toBe(600), SLOW);
    },
  );
});

const syslogNg = findLogDaemon('syslog-ng');
const loggen = syslogNg && join(syslogNg.command, '../../bin/loggen');

describe.skipIf(loggen === undefined || !existsSync(loggen))('loggen of syslog-ng', () => {
  it.each([
    ['lines', TCP, ['--stream', '--inet']],
    ['counts', TCP, ['--stream', '--inet', '--syslog-proto']],
    ['datagrams', UDP, ['--dgram', '--inet']],
  ])('sends %s', async (_what, listen, options) => {
    const { port, texts, metric } = await openedSource([{ listen }]);
    const at = ['127.0.0.1', String(port(listen))];
    const env = { ...process.env, ...syslogNg?.env, SYSLOGNG_PREFIX: join(loggen as string, '../..') };
    await run(loggen as string, [...options, '--number', '1000', '--rate', '10000', '--size', '200', ...at], {
      env,
    });
    const received = async () => texts().length + (await metric('kernel_dropped_total'));
    await vi.waitFor(async () => expect(await received()).toBe(1000), SLOW);
    const sequence = texts().map((text) => Number(/seq: ([0-9]+)/.exec(text)?.[1]));
    expect(new Set(sequence).size).toBe(texts().length);
  });
});
