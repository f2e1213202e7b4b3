import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { run } from '../../src/cli/run.ts';
import type { CollectorService } from '../../src/cli/services.ts';
import type { CollectorConfig } from '../../src/collector/config.ts';
import { NOTHING_READ } from '../../src/collector/one-shot-report.ts';
import { ConfigurationError } from '../../src/runtime/configuration/configuration-error.ts';
import type { TlsMaterial } from '../../src/runtime/tls.ts';
import { capturedIo } from '../support/captured-io.ts';
import { CertificateAuthority } from '../support/certificate-authority.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ONE_SHOT = { ...NOTHING_READ, accepted: { records: 2, bytes: 10 } };

/** A service that does what the test says. */
function service(overrides: Partial<CollectorService> = {}) {
  const calls: string[] = [];
  const part = (name: string) => async () => void calls.push(name);
  const stub: CollectorService = {
    start: part('start'),
    stop: part('stop'),
    reopen: part('reopen'),
    drained: () => new Promise(() => {}),
    accepted: () => ({ records: 0, bytes: 0 }),
    oneShotReport: () => ONE_SHOT,
    failed: new Promise(() => {}),
    ...overrides,
  };
  return { stub, calls };
}

function started(stub: CollectorService, ...flags: string[]) {
  const captured = capturedIo({
    environment: { COLLECTOR_TAIL: import.meta.filename, HOME: '/h', COLLECTOR_TYPO: '1' },
    services: { createCollector: async () => stub },
  });
  const ended = run(['collector', ...flags], captured.io);
  return {
    ...captured,
    ended,
    logged: () =>
      captured
        .stderr()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
}

const NEVER = new Promise<never>(() => {});
/** The first start of a test loads modules, which takes long on a busy machine. */
const PATIENT = { timeout: 20_000, interval: 100 };

describe('signals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops the service with exit code 0', async (signal) => {
    const { stub, calls } = service();
    const { send, ended, logged } = started(stub);
    await vi.waitUntil(() => calls.includes('start'), PATIENT);
    send(signal);
    expect(await ended).toBe(0);
    expect(calls).toEqual(['start', 'stop']);
    expect(logged().map(({ msg }) => msg)).toEqual([
      expect.stringContaining('COLLECTOR_TYPO is not known'),
      'Received a signal; stopping',
      'Stopped',
    ]);
  });

  test('with --once, a signal before everything is accepted is a failure', async () => {
    const { stub, calls } = service({ drained: () => NEVER });
    const { send, ended, logged } = started(stub, '--once');
    await vi.waitUntil(() => calls.includes('start'), PATIENT);
    send('SIGTERM');
    expect(await ended).toBe(1);
    expect(calls).toContain('stop');
    expect(logged().at(-1)).toMatchObject({ msg: 'Stopped before the run was complete' });
  });

  test('a second signal ends the process immediately', async () => {
    const { stub } = service({ stop: () => NEVER });
    const { send, exits } = started(stub);
    await vi.waitFor(() => {
      send('SIGTERM');
      expect(exits).toEqual([130]);
    });
  });

  test('a signal during the start stops the service after the start', async () => {
    const calls: string[] = [];
    let ready = () => {};
    const { stub } = service({
      start: () => new Promise((resolve) => (ready = resolve)),
      stop: async () => void calls.push('stop'),
    });
    const idle = ready;
    const { send, ended } = started(stub);
    await vi.waitUntil(() => ready !== idle);
    send('SIGINT');
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([]);
    ready();
    expect(await ended).toBe(0);
    expect(calls).toEqual(['stop']);
  });

  test('SIGHUP reopens files, and a failure is only logged', async () => {
    const { stub } = service({ reopen: () => Promise.reject(new Error('EACCES')) });
    const { send, ended, stderr } = started(stub);
    await vi.waitFor(() => {
      send('SIGHUP');
      expect(stderr()).toContain('Cannot reopen files');
    });
    send('SIGTERM');
    expect(await ended).toBe(0);
  });
});

test('SIGHUP passes the current certificates in the files to the service', async () => {
  const directory = await temporaryDirectory();
  const authority = await CertificateAuthority.create();
  const [old, renewed] = [await authority.issue({ name: 'old' }), await authority.issue({ name: 'renewed' })];
  const install = async ({ certificate, key, caCertificate }: TlsMaterial) => {
    for (const [name, text] of Object.entries({ certificate, key, ca: caCertificate })) {
      await writeFile(join(directory, name), text);
    }
  };
  await install(old);
  const reopened: (CollectorConfig | undefined)[] = [];
  const { stub } = service({ reopen: async (config) => void reopened.push(config) });
  const flags = [
    ...['--tls', '--tls-certificate-file', join(directory, 'certificate')],
    ...['--tls-key-file', join(directory, 'key'), '--tls-ca-certificate-file', join(directory, 'ca')],
  ];
  const { send, ended, stderr } = started(stub, ...flags);
  await install(renewed);
  await vi.waitFor(() => {
    send('SIGHUP');
    expect(reopened.at(-1)?.tls?.key).toBe(renewed.key.trim());
  });
  await writeFile(join(directory, 'key'), old.key);
  const before = reopened.length;
  send('SIGHUP');
  await vi.waitUntil(() => reopened.length > before);
  expect(reopened.at(-1)).toBeUndefined();
  expect(stderr()).toContain('The configuration is no longer valid');
  send('SIGTERM');
  expect(await ended).toBe(0);
});

describe('the end', () => {
  test('--once ends when everything is accepted', async () => {
    const { stub, calls } = service({ drained: async () => {} });
    const { ended } = started(stub, '--once');
    expect(await ended).toBe(0);
    expect(calls).toEqual(['start', 'stop']);
  });

  test('--once: ends with a summary of what was read', async () => {
    const { stub } = service({ drained: async () => {} });
    const { ended, logged } = started(stub, '--once');
    expect(await ended).toBe(0);
    expect(logged().map(({ msg }) => msg)).toContain('Read 2 records (10 B)');
  });

  test.each([
    ['done', async () => {}],
    ['stopped by a signal', () => NEVER],
  ])('--once exits with 1 and reports what is left after %s', async (_, drained) => {
    const left = [{ path: '/logs/a.log', bytes: 2048, reason: 'unread' as const }];
    const { stub, calls } = service({ drained, oneShotReport: () => ({ ...ONE_SHOT, left }) });
    const { send, ended, logged } = started(stub, '--once');
    await vi.waitUntil(() => calls.includes('start'), PATIENT);
    send('SIGTERM');
    expect(await ended).toBe(1);
    expect(logged()).toContainEqual(
      expect.objectContaining({
        level: 'error',
        msg: 'Read 2 records (10 B); left: a file not read to the end, 2 KiB (/logs/a.log)',
      }),
    );
  });

  test('without --once the service is not asked whether everything is accepted', async () => {
    const drained = vi.fn(async () => {});
    const { stub, calls } = service({ drained });
    const { send, ended } = started(stub);
    await vi.waitUntil(() => calls.includes('start'), PATIENT);
    send('SIGTERM');
    await ended;
    expect(drained).not.toHaveBeenCalled();
  });

  test('a failure exits with 1, without a stack trace', async () => {
    const { stub, calls } = service({ failed: Promise.resolve(new Error('the disk is gone')) });
    const { ended, stderr } = started(stub);
    expect(await ended).toBe(1);
    expect(calls).toEqual(['start', 'stop']);
    expect(stderr()).toContain('"msg":"Failed: the disk is gone"');
    expect(stderr()).not.toContain('stack');
  });

  test('a failed start exits with 1 and stops the started parts', async () => {
    const { stub, calls } = service({ start: () => Promise.reject(new Error('address in use')) });
    const { ended, stderr } = started(stub);
    expect(await ended).toBe(1);
    expect(calls).toEqual(['stop']);
    expect(stderr()).toContain('"msg":"Cannot start: address in use"');
  });

  test('an invalid configuration that is found during the start exits with 78', async () => {
    const error = new ConfigurationError([{ variable: 'X', message: 'expected more' }]);
    const { ended, stderr } = started(service({ start: () => Promise.reject(error) }).stub);
    expect(await ended).toBe(78);
    expect(stderr()).toContain('"msg":"Cannot start: X: expected more"');
  });

  test('an internal error is logged with its stack trace', async () => {
    const { stub } = service({ start: () => Promise.reject(new TypeError('x is not a function')) });
    const { ended, stderr } = started(stub);
    expect(await ended).toBe(1);
    expect(stderr()).toContain('"msg":"Internal error: x is not a function"');
    expect(stderr()).toContain('run-service.test.ts');
  });

  test('a service that does not stop in time is abandoned with exit code 1', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { stub } = service({ failed: Promise.resolve(new Error('ill')), stop: () => NEVER });
    const { ended, stderr } = started(stub, '--shutdown-timeout', '1s');
    // Each check lets the fake time pass; the start needs real time, since it looks at the files.
    await vi.waitUntil(() => stderr().includes('Did not stop within the shutdown timeout'), PATIENT);
    expect(await ended).toBe(1);
  });

  test.each(['0', '1.5ms', '0.1ns', '2562047h'])('accepts a shutdown timeout of %s', async (timeout) => {
    const { stub } = service({
      drained: async () => {},
      stop: () => new Promise((resolve) => setTimeout(resolve, 5)),
    });
    const { ended, stderr } = started(stub, '--once', '--shutdown-timeout', timeout);
    expect(await ended, stderr()).toBe(0);
  });

  test('the deadline is the shutdown timeout', async () => {
    const aborted = vi.fn();
    const { stub } = service({
      drained: async () => {},
      stop: (deadline) =>
        new Promise((resolve) => {
          deadline.addEventListener('abort', () => {
            aborted();
            resolve();
          });
        }),
    });
    const { ended } = started(stub, '--once', '--shutdown-timeout', '20ms');
    expect(await ended).toBe(0);
    expect(aborted).toHaveBeenCalledOnce();
  });
});

describe('files that the configuration names', () => {
  test('certificates are reloaded without a signal when Kubernetes swaps the secret', async () => {
    const directory = await temporaryDirectory();
    const authority = await CertificateAuthority.create();
    const mount = async (version: string) => {
      const { certificate, key, caCertificate } = await authority.issue({ name: version });
      await mkdir(join(directory, version));
      for (const [name, text] of Object.entries({ certificate, key, ca: caCertificate })) {
        await writeFile(join(directory, version, name), text);
      }
      await symlink(version, join(directory, '..data_tmp'));
      await rename(join(directory, '..data_tmp'), join(directory, '..data'));
      return key.trim();
    };
    await mount('..1');
    for (const name of ['certificate', 'key', 'ca']) await symlink(`..data/${name}`, join(directory, name));
    const reopened: (CollectorConfig | undefined)[] = [];
    const { stub, calls } = service({ reopen: async (config) => void reopened.push(config) });
    const flags = [
      ...['--tls', '--tls-certificate-file', join(directory, 'certificate')],
      ...['--tls-key-file', join(directory, 'key'), '--tls-ca-certificate-file', join(directory, 'ca')],
    ];
    const { send, ended, stderr } = started(stub, ...flags);
    await vi.waitUntil(() => calls.includes('start'), PATIENT);
    let version = 1;
    await vi.waitFor(async () => {
      // Until the files are watched, a swap goes unnoticed.
      const key = await mount(`..${++version}`);
      await vi.waitFor(() => expect(reopened.at(-1)?.tls?.key).toBe(key), { timeout: 1000 });
    }, PATIENT);
    expect(stderr()).toContain('The file of COLLECTOR_TLS_KEY_FILE has changed: reloading');
    send('SIGTERM');
    expect(await ended).toBe(0);
  });
});
