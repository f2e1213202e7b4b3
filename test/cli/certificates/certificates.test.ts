import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { inProcessPair } from '../../support/in-process-pair.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function certificates(...argv: readonly string[]) {
  const { io, stdout, stderr } = capturedIo();
  const code = await run(['certificates', ...argv], io);
  return { code, stdout: stdout(), stderr: stderr() };
}

async function created(...hosts: readonly string[]) {
  const directory = join(await temporaryDirectory(), 'tls');
  const flags = hosts.flatMap((host) => ['--host', host]);
  expect((await certificates('create', '--directory', directory, ...flags)).stderr).toBe('');
  const read = async (name: string) => new X509Certificate(await readFile(join(directory, name)));
  return { directory, read };
}

const tls = (role: 'AGGREGATOR' | 'COLLECTOR', directory: string, name: string) => ({
  [`${role}_TLS`]: '1',
  [`${role}_TLS_CERTIFICATE_FILE`]: join(directory, `${name}.pem`),
  [`${role}_TLS_KEY_FILE`]: join(directory, `${name}.key`),
  [`${role}_TLS_CA_CERTIFICATE_FILE`]: join(directory, 'ca.pem'),
});

/** The pair reads no files: its variables have the texts. */
async function textsOf(environment: Readonly<Record<string, string>>) {
  const texts = Object.entries(environment).map(async ([name, value]) =>
    name.endsWith('_FILE') ? [name.slice(0, -5), await readFile(value, 'utf8')] : [name, value],
  );
  return Object.fromEntries(await Promise.all(texts)) as Record<string, string>;
}

describe('certificates create', () => {
  test('writes three certificates with the names of the hosts, and keys that only their owner can read', async () => {
    const { directory, read } = await created('logs.example', '192.0.2.7', '2001:db8::1');
    expect((await readdir(directory)).sort()).toEqual(
      ['aggregator', 'ca', 'collector'].flatMap((name) => [`${name}.key`, `${name}.pem`]),
    );
    for (const name of ['aggregator', 'ca', 'collector']) {
      expect((await stat(join(directory, `${name}.key`))).mode & 0o777).toBe(0o600);
    }
    const [ca, server, client] = [
      await read('ca.pem'),
      await read('aggregator.pem'),
      await read('collector.pem'),
    ];
    expect([ca.ca, server.ca, client.ca]).toEqual([true, false, false]);
    expect([server, client].map((each) => each.checkIssued(ca) && each.verify(ca.publicKey))).toEqual([
      true,
      true,
    ]);
    expect(server.checkHost('logs.example')).toBe('logs.example');
    expect(server.checkHost('other.example')).toBeUndefined();
    expect([server.checkIP('192.0.2.7'), server.checkIP('2001:db8::1')]).not.toContain(undefined);
    expect(server.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(new Set([ca, server, client].map(({ serialNumber }) => serialNumber)).size).toBe(3);
  });

  test('replaces no file, and leaves none of its own after a failure', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'collector.key'), 'precious');
    const { code, stderr } = await certificates('create', '-d', directory, '--host', 'a.example');
    expect(code).toBe(1);
    expect(stderr).toContain('collector.key: it exists.');
    expect(await readdir(directory)).toEqual(['collector.key']);
    expect(await readFile(join(directory, 'collector.key'), 'utf8')).toBe('precious');
  });

  test.each([
    [['--host', 'a.example:8000'], 'without a port'],
    [['--host', 'a.example', '--days', '0'], '--days must be 1 to 3650'],
    [[], "required option '--host <name>' not specified"],
  ])('rejects %j', async (flags, reason) => {
    const directory = join(await temporaryDirectory(), 'tls');
    const { code, stderr } = await certificates('create', '-d', directory, ...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(reason);
    await expect(stat(directory)).rejects.toThrow('ENOENT');
  });
});

describe('certificates issue', () => {
  test('issues a certificate of the same authority for another collector', async () => {
    const { directory, read } = await created('a.example');
    expect((await certificates('issue', '-d', directory, '--client', 'web-1', '--days', '30')).code).toBe(0);
    const [ca, client] = [await read('ca.pem'), await read('web-1.pem')];
    expect(client.checkIssued(ca) && client.verify(ca.publicKey)).toBe(true);
    expect(client.subject).toBe('CN=web-1');
    expect((await certificates('issue', '-d', directory, '--client', 'web-1')).stderr).toContain(
      'it exists.',
    );
  });

  test('issues no certificate that is valid after its authority', async () => {
    const { directory, read } = await created('a.example');
    expect((await certificates('issue', '-d', directory, '--host', 'b.example', '--days', '3650')).code).toBe(
      0,
    );
    expect(Date.parse((await read('b.example.pem')).validTo)).toBeLessThanOrEqual(
      Date.parse((await read('ca.pem')).validTo),
    );
  });

  test('rejects names that are a path, and a directory without an authority', async () => {
    const { directory } = await created('a.example');
    for (const name of ['../x', 'ca', '']) {
      expect((await certificates('issue', '-d', directory, '--client', name)).code).toBe(2);
    }
    await rm(join(directory, 'ca.key'));
    const { code, stderr } = await certificates('issue', '-d', directory, '--client', 'x');
    expect(code).toBe(1);
    expect(stderr).toContain('ca.key: it does not exist (ENOENT)');
  });
});

describe('certificates show', () => {
  test('prints names, use and validity of each certificate of a file', async () => {
    const { directory } = await created('logs.example', '192.0.2.7');
    const chain = join(directory, 'chain.pem');
    const parts = ['aggregator.pem', 'ca.pem'].map((name) => readFile(join(directory, name), 'utf8'));
    await writeFile(chain, (await Promise.all(parts)).join(''));
    const { stdout } = await certificates('show', chain);
    expect(stdout).toMatch(/^subject {2}CN=logs\.example\nissuer {3}CN=mega-collector CA\nuse {6}server$/m);
    expect(stdout).toMatch(/^hosts {4}logs\.example, 192\.0\.2\.7\nvalid .+ \(7\d\d days left\)$/m);
    expect(stdout).toMatch(/^use {6}authority$/m);
    const shown = JSON.parse((await certificates('show', join(directory, 'collector.pem'), '--json')).stdout);
    expect(shown).toMatchObject([{ subject: 'CN=collector', uses: ['client'], hosts: [] }]);
  });

  test('reports a file without a certificate, and a damaged one', async () => {
    const { directory } = await created('a.example');
    expect((await certificates('show', join(directory, 'ca.key'))).stderr).toContain('has no certificate');
    const damaged = join(directory, 'damaged.pem');
    await writeFile(damaged, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    expect((await certificates('show', damaged)).stderr).toContain('a certificate is damaged');
  });
});

describe('a collector and an aggregator', { timeout: 60_000 }, () => {
  const until = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 30_000, interval: 50 });

  async function startedPair(aggregatorTls: string, collectorTls: string) {
    const pair = await inProcessPair(await temporaryDirectory());
    const port = pair.collectorEnvironment.COLLECTOR_AGGREGATOR_ADDRESS?.split(':')[1];
    await (
      await pair.createAggregator(await textsOf(tls('AGGREGATOR', aggregatorTls, 'aggregator')))
    ).start();
    const environment = await textsOf(tls('COLLECTOR', collectorTls, 'collector'));
    await writeFile(join(pair.directory, 'a.log.in'), 'over mutual TLS\n');
    const address = { COLLECTOR_AGGREGATOR_ADDRESS: `localhost:${port}` };
    await (await pair.createCollector({ ...environment, ...address })).start();
    return pair;
  }

  test('connect with the created certificates', async () => {
    const { directory } = await created('localhost');
    const pair = await startedPair(directory, directory);
    await until(async () => expect(await readFile(pair.outputPath, 'utf8')).toBe('over mutual TLS\n'));
  });

  test('do not connect with certificates of different authorities', async () => {
    const [one, other] = [await created('localhost'), await created('localhost')];
    // The collector trusts the aggregator, which does not trust the collector.
    const mixed = join(await temporaryDirectory(), 'mixed');
    await mkdir(mixed);
    for (const [from, name] of [
      [other.directory, 'collector.pem'],
      [other.directory, 'collector.key'],
      [one.directory, 'ca.pem'],
    ] as const) {
      await writeFile(join(mixed, name), await readFile(join(from, name)));
      await chmod(join(mixed, name), 0o600);
    }
    const pair = await startedPair(one.directory, mixed);
    await until(async () => {
      const metrics = await (await fetch(`http://${pair.aggregatorHttp}/metrics`)).text();
      expect(metrics).toMatch(/^aggregator_intake_failed_handshakes_total [1-9]/m);
    });
    await expect(readFile(pair.outputPath, 'utf8').catch(() => '')).resolves.toBe('');
  });
});
