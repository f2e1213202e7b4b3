import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GelfClient, type GelfClientOptions } from '../../../src/gelf.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import type { RunningProcess } from '../../../testkit/running-process.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { parseMessage } from '../../support/gelf-decoder.ts';
import { findLogDaemon, type LogDaemon, startLogDaemon } from '../../support/log-daemons.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const COUNT = 500;
const POLL = { timeout: 20_000, interval: 100 };

function client(options: GelfClientOptions): GelfClient {
  const made = new GelfClient({ host: 'test-host', ...options });
  onTestFinished(() => made.close(AbortSignal.abort()));
  return made;
}

async function sendAll(options: GelfClientOptions, count = COUNT): Promise<void> {
  const log = client(options);
  for (let i = 0; i < count; i++) {
    log.send({
      shortMessage: `message ${i}`,
      fullMessage: i % 50 === 0 ? 'long\n'.repeat(500) : '',
      fields: { number: i, grüße: true },
    });
  }
  expect(await log.flush(AbortSignal.timeout(20_000))).toBe(true);
}

/** The messages in the file, one per line. */
async function received(path: string): Promise<Record<string, unknown>[]> {
  const text = existsSync(path) ? await readFile(path, 'utf8') : '';
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => parseMessage(Buffer.from(line)));
}

async function expectAll(path: string, count = COUNT): Promise<void> {
  await expect.poll(async () => (await received(path)).length, POLL).toBe(count);
  const messages = await received(path);
  expect(messages.map((message) => message._number)).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(messages[0]).toMatchObject({
    host: 'test-host',
    full_message: 'long\n'.repeat(500),
    _gr__e: 'true',
  });
}

async function untilListening(port: number, daemon: RunningProcess): Promise<void> {
  await expect
    .poll(async () => {
      if (daemon.exit !== undefined) throw new Error(`it ended: ${daemon.stderr}`);
      const socket = connect(port, '127.0.0.1');
      const up = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'close').then(() => false),
      ]).catch(() => false);
      socket.destroy();
      return up;
    }, POLL)
    .toBe(true);
}

/** Waits until a datagram sent there causes no error. */
async function untilBound(port: number, daemon: RunningProcess): Promise<void> {
  await expect
    .poll(async () => {
      if (daemon.exit !== undefined) throw new Error(`it ended: ${daemon.stderr}`);
      const socket = createSocket('udp4');
      try {
        socket.bind(port, '127.0.0.1');
        await once(socket, 'listening');
        return false;
      } catch {
        return true;
      } finally {
        socket.close();
      }
    }, POLL)
    .toBe(true);
}

const rsyslog = findLogDaemon('rsyslog');
const syslogNg = findLogDaemon('syslog-ng');

describe.skipIf(rsyslog === undefined)('rsyslog', () => {
  const daemon = rsyslog as LogDaemon;
  const common = (directory: string) => `
global(workDirectory="${directory}" maxMessageSize="200k" net.enableDNS="off" processInternalMessages="off"
  parser.escapeControlCharactersOnReceive="off")
template(name="raw" type="list") { property(name="rawmsg") constant(value="\\n") }`;
  const output = (directory: string) => `
action(type="omfile" file="${join(directory, 'out')}" template="raw" flushOnTXEnd="on" asyncWriting="off")`;

  it.each([
    ['null', 'addtlFrameDelimiter="0" disableLFDelimiter="on"'],
    ['newline', ''],
  ] as const)('reads messages over TCP, each ended by a %s', async (delimiter, framing) => {
    const directory = await temporaryDirectory();
    const port = await freePort();
    const running = await startLogDaemon(
      daemon,
      directory,
      `${common(directory)}
module(load="imtcp" ${framing})
input(type="imtcp" address="127.0.0.1" port="${port}" supportOctetCountedFraming="off")
${output(directory)}`,
    );
    await untilListening(port, running);
    await sendAll({ address: `tcp://127.0.0.1:${port}`, delimiter });
    await expectAll(join(directory, 'out'));
  });

  it('parses messages over UDP', async () => {
    const directory = await temporaryDirectory();
    const port = await freePort();
    const running = await startLogDaemon(
      daemon,
      directory,
      `${common(directory)}
module(load="imudp")
module(load="mmjsonparse")
template(name="parts" type="list") {
  property(name="$!short_message") constant(value="|") property(name="$!_number") constant(value="\\n")
}
input(type="imudp" address="127.0.0.1" port="${port}" rcvbufSize="4m" ruleset="gelf")
ruleset(name="gelf") {
  action(type="mmjsonparse" cookie="" userawmsg="on")
  action(type="omfile" file="${join(directory, 'out')}" template="parts" flushOnTXEnd="on" asyncWriting="off")
}`,
    );
    await untilBound(port, running);
    await sendAll({ address: `udp://127.0.0.1:${port}`, compression: 'none', datagramBytes: 8_192 }, 200);
    const wanted = Array.from({ length: 200 }, (_, i) => `message ${i}|${i}\n`).join('');
    await expect.poll(() => readFile(join(directory, 'out'), 'utf8').catch(() => ''), POLL).toBe(wanted);
  });
});

describe.skipIf(syslogNg === undefined)('syslog-ng', () => {
  const daemon = syslogNg as LogDaemon;
  const PARSED = ['.gelf.short_message', '.gelf._number'].map((name) => `\${${name}}`).join('|');
  const configuration = (source: string, out: string, parser = '') => `@version: 3.38
options { use-dns(no); log-msg-size(200000); stats-freq(0); };
source s { ${source} };
${parser}
destination d { file("${out}" template("${parser === '' ? '$MSG' : PARSED}\\n")); };
log { source(s); ${parser === '' ? '' : 'parser(p);'} destination(d); flags(flow-control); };
`;

  it('reads messages over TCP', async () => {
    const directory = await temporaryDirectory();
    const port = await freePort();
    const source = `network(ip("127.0.0.1") port(${port}) transport("tcp") flags(no-parse));`;
    const running = await startLogDaemon(daemon, directory, configuration(source, join(directory, 'out')));
    await untilListening(port, running);
    await sendAll({ address: `tcp://127.0.0.1:${port}`, delimiter: 'newline' });
    await expectAll(join(directory, 'out'));
  });

  it('reads messages over TLS with certificates on both sides', async () => {
    const directory = await temporaryDirectory();
    const authority = await CertificateAuthority.create();
    const [server, ours] = await Promise.all([
      authority.issue({ name: 'server' }),
      authority.issue({ name: 'ours' }),
    ]);
    await writeFile(join(directory, 'key'), server.key);
    await writeFile(join(directory, 'cert'), server.certificate);
    await writeFile(join(directory, 'ca'), authority.certificate);
    const port = await freePort();
    const tls = `tls(key-file("${directory}/key") cert-file("${directory}/cert") ca-file("${directory}/ca") peer-verify(required-trusted))`;
    const source = `network(ip("127.0.0.1") port(${port}) transport("tls") ${tls} flags(no-parse));`;
    const running = await startLogDaemon(daemon, directory, configuration(source, join(directory, 'out')));
    await untilListening(port, running);
    const { certificate, key } = ours;
    await sendAll({
      address: `tls://localhost:${port}`,
      delimiter: 'newline',
      tls: { ca: authority.certificate, certificate, key },
    });
    await expectAll(join(directory, 'out'));
  });

  it.each([
    ['a Unix stream', 'unix', 'unix-stream'],
    ['Unix datagrams', 'unixgram', 'unix-dgram'],
  ])('reads messages over %s', async (_name, scheme, driver) => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'socket');
    const source = `${driver}("${path}" flags(no-parse));`;
    await startLogDaemon(daemon, directory, configuration(source, join(directory, 'out')));
    await expect.poll(() => existsSync(path), POLL).toBe(true);
    await sendAll({
      address: `${scheme}:${path}`,
      delimiter: 'newline',
      compression: 'none',
      datagramBytes: 60_000,
    });
    await expectAll(join(directory, 'out'));
  });

  it('parses messages over UDP', async () => {
    const directory = await temporaryDirectory();
    const port = await freePort();
    const source = `network(ip("127.0.0.1") port(${port}) transport("udp") so-rcvbuf(4194304) flags(no-parse));`;
    const parser = 'parser p { json-parser(prefix(".gelf.")); };';
    const running = await startLogDaemon(
      daemon,
      directory,
      configuration(source, join(directory, 'out'), parser),
    );
    await untilBound(port, running);
    await sendAll({ address: `udp://127.0.0.1:${port}`, compression: 'none', datagramBytes: 8_192 }, 200);
    const wanted = Array.from({ length: 200 }, (_, i) => `message ${i}|${i}\n`).join('');
    await expect.poll(() => readFile(join(directory, 'out'), 'utf8').catch(() => ''), POLL).toBe(wanted);
  });
});
