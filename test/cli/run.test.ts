import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { capturedIo } from '../support/captured-io.ts';
import { CertificateAuthority } from '../support/certificate-authority.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const COMMANDS = ['aggregator', 'collector', 'status', 'explain', 'dead-letters', 'emitters', 'monitor'];

describe('--help', () => {
  test('lists every command, with examples', async () => {
    const { io, stdout, stderr } = capturedIo();
    expect(await run(['--help'], io)).toBe(0);
    for (const command of COMMANDS) expect(stdout()).toContain(`  ${command}`);
    expect(stdout()).toContain('Try it:');
    expect(stderr()).toBe('');
  });

  test.each(COMMANDS)('of %s has examples', async (command) => {
    const { io, stdout } = capturedIo();
    expect(await run([command, '--help'], io)).toBe(0);
    expect(stdout()).toContain('Examples:');
  });

  test('of the aggregator has a flag for every variable, its default, and the _FILE forms', async () => {
    const { io, stdout } = capturedIo();
    await run(['aggregator', '--help'], io);
    const text = stdout().replaceAll(/\s+/g, ' ');
    expect(text).toContain('--max-batch-size <value>');
    expect(text).toContain('[AGGREGATOR_MAX_BATCH_SIZE, default 1000]');
    expect(text).toContain('--tls-key-file <path>');
    expect(text).toContain('[AGGREGATOR_TLS_KEY_FILE]');
    expect(text).toContain('--text-configuration <value>');
  });
});

test('--version', async () => {
  const { io, stdout } = capturedIo();
  expect(await run(['--version'], io)).toBe(0);
  expect(stdout()).toBe('1.2.3\n');
});

describe('a wrong command line exits with 2', () => {
  test.each([
    [['agregator'], "unknown command 'agregator'"],
    [['aggregator', '--max-bach-size', '1'], "unknown option '--max-bach-size'"],
    [
      ['standalone', '--state-directory', 'x'],
      "'--state-directory'; write --collector-state-directory or --aggregator-state-directory",
    ],
    [['aggregator', '--max-batch-size'], 'argument missing'],
    [['explain'], "missing required argument 'file'"],
    [['dead-letters', 'replay'], 'Name the dead letters'],
    [['dead-letters', 'discard', 'x', '--all'], 'Name the dead letters'],
    [['emitters', 'forget'], "missing required argument 'name'"],
    [['status', 'surplus'], 'too many arguments'],
    [[], 'Usage:'],
    [['emitters'], 'Usage:'],
  ])('%j: %s', async (argv, message) => {
    const { io, stdout, stderr } = capturedIo();
    expect(await run(argv, io)).toBe(2);
    expect(stderr()).toContain(message);
    expect(stderr()).not.toContain('    at ');
    expect(stdout()).toBe('');
  });
});

describe('--check', () => {
  test('prints the configuration and the origin of each value', async () => {
    const { io, stdout, stderr } = capturedIo({
      environment: { AGGREGATOR_TEXT_CONFIGURATION: '1', AGGREGATOR_RETRY_COUNT: '7', HOME: '/home/ann' },
    });
    expect(await run(['aggregator', '--check', '--max-batch-size', '5'], io)).toBe(0);
    expect(stdout()).toMatch(/^AGGREGATOR_MAX_BATCH_SIZE +5 +flag$/m);
    expect(stdout()).toMatch(/^AGGREGATOR_RETRY_COUNT +7 +environment$/m);
    expect(stdout()).toMatch(/^AGGREGATOR_WHEN_FULL +stop +default$/m);
    expect(stdout()).toMatch(
      /^AGGREGATOR_STATE_DIRECTORY +\/home\/ann\/.local\/state\/mega-collector\/aggregator/m,
    );
    expect(stdout()).toMatch(/^AGGREGATOR_TLS_KEY +- +not set$/m);
    expect(stderr()).toBe('');
  });

  test('a flag overrides the variable, in both forms', async () => {
    const directory = await temporaryDirectory();
    const authority = await CertificateAuthority.create();
    const material = await authority.issue({ name: 'aggregator' });
    const path = (name: string) => join(directory, name);
    await writeFile(path('certificate.pem'), material.certificate);
    await writeFile(path('key.pem'), material.key);
    const { io, stdout, stderr } = capturedIo({
      environment: {
        AGGREGATOR_TEXT_CONFIGURATION: '1',
        AGGREGATOR_STATE_DIRECTORY: directory,
        AGGREGATOR_TLS_CA_CERTIFICATE: material.caCertificate,
        AGGREGATOR_TLS_CERTIFICATE_FILE: '/missing',
        AGGREGATOR_TLS_KEY: 'not this one',
      },
    });
    const argv = ['aggregator', '--check', '--tls'];
    const files = ['--tls-certificate-file', path('certificate.pem'), '--tls-key-file', path('key.pem')];
    expect(await run([...argv, ...files], io), stderr()).toBe(0);
    expect(stdout()).toMatch(/^AGGREGATOR_TLS +1 +flag$/m);
    expect(stdout()).toMatch(/^AGGREGATOR_TLS_KEY +\(set, not shown\) +flag$/m);
    expect(stdout()).not.toContain('BEGIN');
  });

  test('reports all problems and exits with 78', async () => {
    const { io, stdout, stderr } = capturedIo({
      environment: {
        COLLECTOR_COMPRESSION: 'zip',
        COLLECTOR_TLS_KEY_FILE: '/missing/key',
        COLLECTOR_TLS: '1',
      },
    });
    expect(await run(['collector', '--check', '--shutdown-timeout', 'soon'], io)).toBe(78);
    expect(stdout()).toBe('');
    expect(stderr()).toContain('The configuration has 7 problems:');
    expect(stderr()).toContain('\n  COLLECTOR_COMPRESSION: expected one of auto, lz4, none, found "zip"\n');
    expect(stderr()).toContain('\n  COLLECTOR_TLS_KEY_FILE: expected a readable file');
    expect(stderr()).toContain('\n  COLLECTOR_TAIL: expected at least one source');
    expect(stderr()).not.toContain('COLLECTOR_TLS_KEY: ');
    expect(stderr()).not.toContain('    at ');
  });

  test('prints JSON with --json, also for problems', async () => {
    const good = capturedIo({
      environment: { AGGREGATOR_TEXT_CONFIGURATION: '1', HOME: '/h', AGGREGATOR_TLSS: '1' },
    });
    expect(await run(['aggregator', '--check', '--json'], good.io)).toBe(0);
    expect(JSON.parse(good.stdout())).toMatchObject({
      ok: true,
      variables: expect.arrayContaining([
        { name: 'AGGREGATOR_MAX_BATCH_SIZE', value: '1000', origin: 'default' },
      ]),
      emitters: [{ name: 'text', type: 'text', guarantee: 'at-least-once' }],
      warnings: [{ variable: 'AGGREGATOR_TLSS', message: expect.stringContaining('AGGREGATOR_TLS?') }],
    });
    const bad = capturedIo({ environment: { HOME: '/h' } });
    expect(await run(['collector', '--check', '--json'], bad.io)).toBe(78);
    expect(JSON.parse(bad.stdout())).toMatchObject({ ok: false, problems: [{ variable: 'COLLECTOR_TAIL' }] });
  });

  test('shows no secret in any problem', async () => {
    const secret = 'hunter2hunter2';
    const values = [
      `{"integration_key": "${secret}"}`,
      secret,
      `["${secret}"]`,
      `{"integration_key": ["${secret}"]`,
    ];
    for (const value of values) {
      for (const name of ['AGGREGATOR_NOTIFY_CONFIGURATION', 'AGGREGATOR_TLS_KEY']) {
        const environment = {
          [name]: value,
          AGGREGATOR_TLS: '1',
          AGGREGATOR_TLS_CERTIFICATE: 'x',
          HOME: '/h',
        };
        for (const more of [[], ['--json']]) {
          const { io, stdout, stderr } = capturedIo({ environment });
          expect(await run(['aggregator', '--check', ...more], io)).toBe(78);
          expect(stdout() + stderr()).not.toContain(secret);
        }
      }
    }
  });
});

describe('_FILE forms', () => {
  const check = async (environment: Record<string, string>) => {
    const captured = capturedIo({
      environment: { AGGREGATOR_TEXT_CONFIGURATION: '1', HOME: '/h', ...environment },
    });
    const exitCode = await run(['aggregator', '--check'], captured.io);
    return { exitCode, stderr: captured.stderr(), stdout: captured.stdout() };
  };

  test('reports a problem when both forms are set', async () => {
    const { exitCode, stderr } = await check({ AGGREGATOR_TLS_KEY: 'a', AGGREGATOR_TLS_KEY_FILE: '/b' });
    expect(exitCode).toBe(78);
    expect(stderr).toContain(
      'AGGREGATOR_TLS_KEY_FILE: expected only one of it and AGGREGATOR_TLS_KEY, found both',
    );
  });

  test('ignores an empty form', async () => {
    const { exitCode } = await check({ AGGREGATOR_TLS_KEY: '', AGGREGATOR_TLS_KEY_FILE: '' });
    expect(exitCode).toBe(0);
  });

  test('reads a secret from a file without the newline at its end', async () => {
    const path = join(await temporaryDirectory(), 'notify.json');
    await writeFile(path, '{"integration_key": "k", "incident_key": "i", "identifier": "d"}\n');
    const { exitCode, stdout } = await check({ AGGREGATOR_NOTIFY_CONFIGURATION_FILE: path });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^AGGREGATOR_NOTIFY_CONFIGURATION +\(set, not shown\) +file$/m);
  });

  test.each([
    ['a directory', (path: string) => mkdir(path), 'expected a file'],
    [
      'too large',
      (path: string) => writeFile(path, Buffer.alloc(2 ** 20 + 1, 'x')),
      'expected at most 1 MiB',
    ],
    ['not text', (path: string) => writeFile(path, Buffer.from([0xff, 0xfe])), 'expected UTF-8'],
    ['a pipe', async (path: string) => void execFileSync('mkfifo', [path]), 'expected a file'],
    ['endless', (path: string) => symlink('/dev/zero', path), 'expected a file'],
    ['missing', async () => {}, 'found ENOENT'],
  ])('reports a problem for %s', async (_, make, message) => {
    const path = join(await temporaryDirectory(), 'file');
    await make(path);
    const { exitCode, stderr } = await check({ AGGREGATOR_TLS_KEY_FILE: path });
    expect(exitCode).toBe(78);
    expect(stderr).toContain(message);
  });

  test.skipIf(process.getuid?.() === 0)('reports a problem for a file without permission', async () => {
    const path = join(await temporaryDirectory(), 'file');
    await writeFile(path, 'secret');
    await chmod(path, 0);
    expect((await check({ AGGREGATOR_TLS_KEY_FILE: path })).stderr).toContain('found EACCES');
  });
});
