import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../testkit/free-ports.ts';
import { PRODUCT_ENTRY, productIsBuilt } from '../../testkit/product.ts';
import { runCommand } from '../../testkit/running-process.ts';
import { findFluentBit } from '../support/fluent-bit.ts';
import { findLogDaemon, type LogDaemon, startLogDaemon } from '../support/log-daemons.ts';
import { markdownBlocks } from '../support/markdown-blocks.ts';
import {
  isListening,
  layOutHost,
  linesOf,
  type MigratedHost,
  startOurs,
  startStandalone,
} from '../support/migrated-hosts.ts';
import { migrationPage, withReplacements } from '../support/migration-pages.ts';
import { testProcess } from '../support/processes.ts';
import { StreamReceiver } from '../support/stream-receiver.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PATIENT = { timeout: 60_000, interval: 50 };
const LINES = numbered(0, 300);

/** Lines of an access log, all different, with quotes, percent signs and letters beyond ASCII. */
function numbered(from: number, to: number): readonly string[] {
  return Array.from(
    { length: to - from },
    (_, i) =>
      `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /caf%C3%A9/${from + i} HTTP/1.1" 200 5 "é" "\\"q\\""`,
  );
}

const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

async function hostWithLog(): Promise<MigratedHost> {
  const host = await layOutHost(await temporaryDirectory());
  await writeFile(join(host.logs, 'app.log'), textOf(LINES));
  return host;
}

const ofPage = (page: string, index: number) => migrationPage(page).theirs[index]?.text ?? '';

describe.skipIf(!productIsBuilt())('our first configuration', { timeout: 120_000 }, () => {
  test('is the same on the pages for rsyslog, syslog-ng and Vector', () => {
    const first = ['rsyslog', 'syslog-ng', 'vector'].map((name) =>
      migrationPage(`docs/from-${name}.md`)
        .ours.slice(0, 2)
        .map(({ text }) => text),
    );
    expect(new Set(first.map((texts) => texts.join())).size).toBe(1);
  });

  test.each(['docs/from-rsyslog.md', 'docs/from-fluent-bit.md'])(
    'of %s writes the lines of the log to the central file',
    async (page) => {
      const host = await hostWithLog();
      await startOurs(page, host);
      await expect.poll(() => linesOf(host.central), PATIENT).toEqual(LINES);
    },
  );

  test('of docs/from-filebeat.md keeps the lines of the log in the store', async () => {
    const host = await hostWithLog();
    const aggregator = await startOurs('docs/from-filebeat.md', host);
    const state = join(host.directory, 'aggregator');
    const search = ['search', state, '--json', '--limit', '1000'];
    const status = ['status', '--json', '--state-directory', state];
    const output = (args: readonly string[]) =>
      runCommand({ name: args[0] ?? '', command: process.execPath, args: [PRODUCT_ENTRY, ...args] });
    await expect
      .poll(() => output(status), { ...PATIENT, interval: 500 })
      .toMatch(/"delivered":\{"records":300\b/);
    aggregator.signal('SIGTERM');
    await aggregator.exited;
    const records = (await output(search))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ body }) => String(body)).toSorted()).toEqual(LINES.toSorted());
  });
});

const rsyslog = findLogDaemon('rsyslog', 'omrelp');

describe.skipIf(rsyslog === undefined)('rsyslog', { timeout: 120_000 }, () => {
  const start = (directory: string, configuration: string) =>
    startLogDaemon(rsyslog as LogDaemon, directory, `global(workDirectory="${directory}")\n${configuration}`);

  test('writes the same lines with the first configuration of its page', async () => {
    const host = await hostWithLog();
    const port = await freePort();
    const page = 'docs/from-rsyslog.md';
    const server = { '/var/log/central': host.central, 'port="2514"': `port="${port}"` };
    await start(await subdirectory(host, 'server'), withReplacements(ofPage(page, 1), server));
    await expect.poll(() => isListening(port), PATIENT).toBe(true);
    const target = { 'logs.example.com': '127.0.0.1', 'port="2514"': `port="${port}"` };
    const client = withReplacements(ofPage(page, 0), { '/var/log/shop': host.logs, ...target });
    await start(await subdirectory(host, 'client'), client);
    await expect.poll(() => linesOf(host.central), PATIENT).toEqual(LINES);
  });

  test.skipIf(!productIsBuilt())(
    'and the collector have each line once after a change at its position',
    async () => {
      const host = await hostWithLog();
      const theirs = await subdirectory(host, 'theirs');
      const work = await subdirectory(host, 'work');
      const daemon = await start(
        work,
        `module(load="imfile")
       template(name="line" type="string" string="%msg%\\n")
       input(type="imfile" file="${host.logs}/app.log" tag="shop")
       action(type="omfile" file="${theirs}/app.log" template="line")`,
      );
      // The beginning of a line that rsyslog reads and cannot send yet.
      const [first = '', ...unread] = numbered(300, 400);
      await appendFile(join(host.logs, 'app.log'), first.slice(0, 20));
      await expect.poll(() => linesOf(theirs), PATIENT).toEqual(LINES);
      daemon.signal('SIGTERM');
      await daemon.exited;
      const [state = ''] = (await readdir(work)).filter((name) => name.startsWith('imfile-state:'));
      const position = JSON.parse(await readFile(join(work, state), 'utf8')).strt_offs;
      expect(position).toBe(Buffer.byteLength(textOf(LINES)));

      const later = numbered(400, 500);
      await appendFile(join(host.logs, 'app.log'), textOf([first.slice(20), ...unread]));
      await rename(join(host.logs, 'app.log'), join(host.logs, 'app.log.1'));
      await writeFile(join(host.logs, 'app.log'), textOf(later));
      await separateRest(host, position);
      await startOurs('docs/from-rsyslog.md', host);
      await expect.poll(async () => (await linesOf(host.central)).length, PATIENT).toBe(200);
      expect((await linesOf(host.central)).toSorted()).toEqual([first, ...unread, ...later].toSorted());
    },
  );
});

/** The commands of the page, for a position. */
async function separateRest({ logs }: MigratedHost, position: number): Promise<void> {
  const [block] = markdownBlocks('docs/migration.md').filter(({ language }) => language === 'sh');
  const replacements = { '/var/log/shop': logs, 'POSITION=1048576': `POSITION=${position}` };
  const script = withReplacements(block?.text ?? '', replacements);
  await runCommand({ name: 'the commands of migration.md', command: 'bash', args: ['-ec', script] });
}

async function subdirectory(host: MigratedHost, name: string): Promise<string> {
  const path = join(host.directory, name);
  await mkdir(path, { recursive: true });
  return path;
}

const syslogNg = findLogDaemon('syslog-ng');

test.skipIf(syslogNg === undefined)(
  'syslog-ng writes the same lines with the first configuration of its page',
  { timeout: 120_000 },
  async () => {
    const host = await hostWithLog();
    const port = await freePort();
    const page = 'docs/from-syslog-ng.md';
    const [serverDirectory, clientDirectory] = [
      await subdirectory(host, 'server'),
      await subdirectory(host, 'client'),
    ];
    const listen = { '/var/log/central': host.central, 'port(601)': `ip("127.0.0.1") port(${port})` };
    await startLogDaemon(syslogNg as LogDaemon, serverDirectory, withReplacements(ofPage(page, 1), listen));
    await expect.poll(() => isListening(port), PATIENT).toBe(true);
    const client = withReplacements(ofPage(page, 0), {
      '/var/log/shop': host.logs,
      'logs.example.com': '127.0.0.1',
      'port(601)': `port(${port})`,
      'disk-buf-size(': `dir("${clientDirectory}") disk-buf-size(`,
    });
    await startLogDaemon(syslogNg as LogDaemon, clientDirectory, client);
    await expect.poll(() => linesOf(host.central), PATIENT).toEqual(LINES);
  },
);

const LOGGER = '/usr/bin/logger';
const MESSAGES = [
  ['user.notice', 'app', 'login password=abc'],
  ['cron.info', 'cron', 'noise'],
  ['cron.err', 'cron', 'failed'],
  ['user.err', 'app', 'broken password=abc'],
] as const;

/** Logs the messages to a socket, and resolves with those that arrive at a receiver, without their times. */
async function received(socket: string, receiver: StreamReceiver, count: number) {
  await expect.poll(() => existsSync(socket), PATIENT).toBe(true);
  for (const [priority, tag, message] of MESSAGES) {
    const args = ['--socket', socket, '--priority', priority, '--tag', tag, message];
    await runCommand({ name: 'logger', command: LOGGER, args });
  }
  const lines = () => receiver.received.toString().split('\n').slice(0, -1);
  await expect.poll(() => lines().length, PATIENT).toBe(count);
  return lines().map((line) => line.replace(/(?<=>)\w{3} .\d [\d:]{8} /, ''));
}

test.skipIf(syslogNg === undefined || !productIsBuilt() || !existsSync(LOGGER))(
  'the filter of the page for syslog-ng forwards the same messages as syslog-ng',
  { timeout: 120_000 },
  async () => {
    const host = await layOutHost(await temporaryDirectory());
    const page = migrationPage('docs/from-syslog-ng.md');
    const [theirs, ours] = [await StreamReceiver.start(), await StreamReceiver.start()];
    const at = (name: string) => join(host.directory, name);
    const daemon = withReplacements(page.theirs[3]?.text ?? '', {
      '/run/app.sock': at('theirs.sock'),
      '/var/log/all.log': at('theirs.log'),
      '"siem.example.com" port(514)': `"127.0.0.1" port(${theirs.port})`,
    });
    await startLogDaemon(syslogNg as LogDaemon, host.directory, daemon);
    await writeFile(join(await subdirectory(host, 'filters'), 'default.filter'), page.filters[0]?.text ?? '');
    await startStandalone(host, page.ours[3]?.text ?? '', {
      '/run/app.sock': at('ours.sock'),
      '/var/log/all.log': at('ours.log'),
      '/etc/mega-collector/filters': at('filters'),
      'siem.example.com:514': `127.0.0.1:${ours.port}`,
    });
    const expected = await received(at('theirs.sock'), theirs, 2);
    expect(await received(at('ours.sock'), ours, 2)).toEqual(expected);
    expect(expected).toEqual([
      expect.stringMatching(/cron: failed$/),
      expect.stringMatching(/password=\*{3}$/),
    ]);
  },
);

const fluentBit = findFluentBit(['tail', 'forward', 'file']);

test.skipIf(fluentBit === undefined)(
  'Fluent Bit writes the same lines with the first configuration of its page',
  { timeout: 120_000 },
  async () => {
    const host = await hostWithLog();
    const port = await freePort();
    const page = 'docs/from-fluent-bit.md';
    const start = async (name: string, text: string) => {
      const path = join(await subdirectory(host, name), 'fluent-bit.yaml');
      await writeFile(path, text);
      testProcess({ name, command: fluentBit as string, args: ['--quiet', '--config', path] });
    };
    const server = { '/var/log/central': host.central, '0.0.0.0': '127.0.0.1', '24224': String(port) };
    await start('server', withReplacements(ofPage(page, 1), server));
    await expect.poll(() => isListening(port), PATIENT).toBe(true);
    const client = {
      '/var/log/shop': host.logs,
      '/var/lib/fluent-bit/shop.db': join(host.directory, 'shop.db'),
      'logs.example.com': '127.0.0.1',
      '24224': String(port),
    };
    await start('client', withReplacements(ofPage(page, 0), client));
    await expect.poll(() => linesOf(host.central), PATIENT).toEqual(LINES);
  },
);
