import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { CertificateAuthority } from '../../../support/certificate-authority.ts';
import { findLogDaemon, type LogDaemon, startLogDaemon } from '../../../support/log-daemons.ts';
import { testProcess } from '../../../support/processes.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { findUnpackedProgram } from '../../../support/unpacked-program.ts';
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

/** A listener with its certificate, and the files of a client with one. */
async function tlsFiles() {
  const directory = await temporaryDirectory();
  const authority = await CertificateAuthority.create();
  const at = (name: string) => join(directory, name);
  const write = async (name: string) => {
    const { certificate, key } = await authority.issue({ name });
    await writeFile(at(`${name}.crt`), certificate);
    await writeFile(at(`${name}.key`), key);
  };
  await Promise.all([write('server'), write('client')]);
  await writeFile(at('ca.crt'), authority.certificate);
  return {
    listener: {
      certificate_file: at('server.crt'),
      key_file: at('server.key'),
      ca_file: at('ca.crt'),
      permitted_peers: ['localhost'],
    },
    ca: at('ca.crt'),
    certificate: at('client.crt'),
    key: at('client.key'),
  };
}

const hasTls = (driver: string) =>
  rsyslog !== undefined &&
  existsSync(moduleOf(rsyslog, `lmnsd_${driver}.so`)) &&
  existsSync('/usr/bin/openssl');

describe('rsyslog with TLS', () => {
  const RELP_TLS = 'relp+tls://127.0.0.1:0';
  const TLS = 'tls://127.0.0.1:0';

  async function forwarded(listen: string, settings: (files: TlsFiles, port: number) => ForwardingSettings) {
    const directory = await temporaryDirectory();
    const socket = join(directory, 'log');
    const files = await tlsFiles();
    const { port, records } = await openedSource([{ listen, ...files.listener }]);
    const { globals = '', modules = '', action } = settings(files, port(listen));
    const configuration = globals + forwarding(socket, action, modules);
    await startLogDaemon(rsyslog as LogDaemon, directory, configuration);
    await vi.waitFor(() => expect(existsSync(socket)).toBe(true), PATIENT);
    await write(socket, 0, 200);
    const numbers = () => records().flatMap(({ body }) => /number ([0-9]+)$/.exec(body)?.[1] ?? []);
    await vi.waitFor(() => expect(numbers()).toEqual(Array.from({ length: 200 }, (_, i) => String(i))), SLOW);
    expect(records()[0]?.attributes.get('tls.client.subject')).toBe('CN=client');
  }

  it.each(['gtls', 'ossl'].filter(hasTls))(
    'forwards over TLS with the driver %s and a client certificate',
    async (driver) => {
      await forwarded(TLS, ({ ca, certificate, key }, port) => ({
        globals: `global(defaultNetstreamDriver="${driver}" defaultNetstreamDriverCAFile="${ca}"
        defaultNetstreamDriverCertFile="${certificate}" defaultNetstreamDriverKeyFile="${key}")\n`,
        action: `type="omfwd" target="127.0.0.1" port="${port}" protocol="tcp" TCP_Framing="octet-counted"
        StreamDriver="${driver}" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
        StreamDriverPermittedPeers="localhost" action.resumeRetryCount="-1" action.resumeInterval="1"`,
      }));
    },
  );

  it.skipIf(!hasOmrelp || !existsSync('/usr/bin/openssl'))(
    'sends over RELP with TLS and a client certificate',
    async () => {
      await forwarded(RELP_TLS, ({ ca, certificate, key }, port) => ({
        modules: `module(load="${moduleOf(rsyslog as LogDaemon, 'omrelp.so')}")`,
        action: `type="omrelp" target="127.0.0.1" port="${port}" tls="on" tls.caCert="${ca}" tls.myCert="${certificate}"
        tls.myPrivKey="${key}" tls.authMode="name" tls.permittedPeer=["localhost"]
        action.resumeRetryCount="-1" action.resumeInterval="1"`,
      }));
    },
  );
});

type TlsFiles = Awaited<ReturnType<typeof tlsFiles>>;

interface ForwardingSettings {
  readonly globals?: string;
  readonly modules?: string;
  readonly action: string;
}

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

const socat = findUnpackedProgram('socat');

describe.skipIf(socat === undefined)('socat', () => {
  const listen = (path: string, type: string) => ({ listen: `${type}://${path}` });

  it.each([
    ['TCP', TCP, 'TCP'],
    ['UDP', UDP, 'UDP'],
  ])('sends over %s what it reads', async (_what, address, type) => {
    const { port, texts } = await openedSource([{ listen: address }]);
    await pipe(['-u', 'STDIN', `${type}:127.0.0.1:${port(address)}`], '<13>from socat\n');
    await vi.waitFor(() => expect(texts()).toEqual(['<13>from socat']), PATIENT);
  });

  it.each([
    ['stream', 'unix', 'UNIX-CONNECT'],
    ['datagram', 'unixgram', 'UNIX-SENDTO'],
  ])('sends to a Unix %s socket', async (_what, type, client) => {
    const path = join(await temporaryDirectory(), 'socket');
    const { texts } = await openedSource([listen(path, type)]);
    await pipe(['-u', 'STDIN', `${client}:${path}`], '<13>from socat\n');
    await vi.waitFor(() => expect(texts()).toEqual(['<13>from socat']), PATIENT);
  });

  async function pipe(args: readonly string[], input: string): Promise<void> {
    const child = run(socat?.command as string, [...args], { env: { ...process.env, ...socat?.env } });
    child.child.stdin?.end(input);
    await child;
  }
});

const busybox = findUnpackedProgram('busybox');

const mayMount = spawnSync('unshare', ['-m', 'true']).status === 0;
if (!mayMount) process.stderr.write('SKIPPED: busybox syslogd, which needs a mount namespace\n');

describe.skipIf(busybox === undefined || !mayMount || !existsSync(LOGGER))('syslogd of busybox', () => {
  it('forwards over UDP', async () => {
    const { port, records } = await openedSource([{ listen: UDP }]);
    const at = `127.0.0.1:${port(UDP)}`;
    // It needs /dev/log, which belongs to the machine: a namespace has its own.
    const devices = join(await temporaryDirectory(), 'dev');
    await mkdir(devices);
    const script = `mount --bind ${devices} /dev && exec "$0" syslogd -n -R ${at}`;
    const daemon = testProcess({
      name: 'busybox syslogd',
      command: 'unshare',
      args: ['-m', 'sh', '-c', script, busybox?.command as string],
    });
    const socket = join(devices, 'log');
    await vi.waitFor(() => expect(existsSync(socket), daemon.stderr).toBe(true), PATIENT);
    await run(LOGGER, ['--socket', socket, '--tag', 'app', '--priority', 'local0.warning', 'from busybox']);
    await vi.waitFor(() => expect(records()).toHaveLength(1), PATIENT);
    const [record] = records();
    expect(record?.body).toBe('from busybox');
    expect(record?.attributes.get('service.name')).toBe('app');
    expect(record?.severityNumber).toBe(13);
  });
});
