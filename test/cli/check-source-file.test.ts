import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import type { CollectorService } from '../../src/cli/services.ts';
import { capturedIo } from '../support/captured-io.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Has read three records already. */
const READ: CollectorService = {
  start: async () => {},
  stop: async () => {},
  reopen: async () => {},
  drained: async () => {},
  accepted: () => ({ records: 1234, bytes: 56_789 }),
  oneShotReport: () => ({
    accepted: { records: 1234, bytes: 56_789 },
    ...{ remainingBytes: 0, left: [], lostBytes: 0, undeliveredRecords: undefined },
  }),
  failed: new Promise(() => {}),
};

async function collect(flags: readonly string[], service: Partial<CollectorService> = {}) {
  const created: unknown[] = [];
  const captured = capturedIo({
    environment: { HOME: '/h' },
    services: {
      createCollector: async (config) => {
        created.push(config);
        return { ...READ, ...service };
      },
    },
  });
  const ended = run(['collector', ...flags], captured.io);
  return { ...captured, ended, created };
}

async function collected(flags: readonly string[], service: Partial<CollectorService> = {}) {
  const { ended, stdout, stderr, created } = await collect(flags, service);
  return { exitCode: await ended, stdout: stdout(), stderr: stderr(), started: created.length };
}

async function accessLog(): Promise<string> {
  const path = join(await temporaryDirectory(), 'access.log');
  await writeFile(path, 'x\n');
  return path;
}

describe('the format', () => {
  async function warnings(text: string, ...flags: readonly string[]) {
    const path = join(await temporaryDirectory(), 'a.log');
    await writeFile(path, text);
    const { stderr, exitCode } = await collected(['--source', path, ...flags]);
    expect(exitCode).toBe(0);
    return stderr.replaceAll('\\"', '"');
  }
  const JSON_LINE = '{"level":"info","msg":"a","ts":"2026-01-01T00:00:00Z"}\n';

  test('that does not fit the first lines is reported, with the one that fits', async () => {
    expect(await warnings(JSON_LINE)).toContain(
      'Most of the first lines do not have the format "combined". They fit "json": use --format json',
    );
    expect(await warnings('x y\n', '--format', 'json')).toContain('Describe the format with --format');
    expect(await warnings('192.0.2.1 200\n', '--format', 'access:%h [%t] %s')).toContain(
      'Describe the format',
    );
  });

  test.each([
    [JSON_LINE, 'json'],
    [JSON_LINE, 'plain'],
    [JSON_LINE, 'json?time=ts'],
    ['192.0.2.1 200\n', 'access:%h %s'],
    ['', 'combined'],
  ])('of %j is not reported if it is %s', async (text, format) => {
    expect(await warnings(text, '--format', format)).not.toContain('first lines');
  });

  test('that does not exist is rejected', async () => {
    const path = await accessLog();
    const { exitCode, stderr } = await collected(['--source', path, '--format', 'jsn']);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('did you mean "json"?');
    expect((await collected(['--source', path, '--format', 'json?tiem=a'])).stderr).toContain('found "tiem"');
  });
});

describe('the report', () => {
  test('contains the amount of data that was read', async () => {
    const path = await accessLog();
    const { exitCode, stdout } = await collected(['--source', path]);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `Read 1,234 records, 56,789 bytes of ${path}\n`,
    });
  });

  test('explains why nothing is new and how to add records', async () => {
    const path = await accessLog();
    const accepted = () => ({ records: 0, bytes: 0 });
    const { stdout } = await collected(['--source', path], { accepted });
    expect(stdout).toBe(
      `Read 0 records, 0 bytes of ${path}: nothing new. The same bytes in a file are the same stream, and they are stored once. Append to the file (>>) to add records.\n`,
    );
  });

  test('is JSON with --json', async () => {
    const path = await accessLog();
    const { stdout } = await collected(['--source', path, '--now', '--json']);
    expect(JSON.parse(stdout)).toEqual({ source: path, records: 1234, bytes: 56_789 });
  });

  test('is printed only with --source', async () => {
    const { exitCode, stdout } = await collected(['--tail', await accessLog(), '--once']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  });
});

describe('rejects a file that cannot be read before anything is started', () => {
  const told = async (path: string, ...flags: string[]) => {
    const { exitCode, stdout, stderr, started } = await collected(['--source', path, ...flags]);
    expect({ exitCode, stdout, started }).toEqual({ exitCode: 1, stdout: '', started: 0 });
    expect(stderr.startsWith(`mega-collector: Cannot read ${path}: `)).toBe(true);
    return stderr.replaceAll('\\"', '"');
  };

  test('a missing file', async () => {
    const directory = await temporaryDirectory();
    expect(await told(join(directory, 'none'))).toContain('it does not exist (ENOENT). Check the path.');
    expect(await told(join(directory, 'none/deeper'))).toContain(
      'it does not exist (ENOENT). Check the path.',
    );
  });

  test('a directory, a pipe, a compressed file; also when it is to be followed', async () => {
    const directory = await temporaryDirectory();
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await mkdir(join(directory, 'logs'));
    for (const flags of [[], ['--watch']]) {
      expect(await told(join(directory, 'logs'), ...flags)).toContain(
        'it is a directory (EISDIR). Name a file',
      );
      expect(await told(pipe, ...flags)).toContain('is not a regular file');
      expect(await told(join(directory, 'access.log.gz'), ...flags)).toContain('is compressed');
    }
  });

  test('a link that leads to itself', async () => {
    const path = join(await temporaryDirectory(), 'loop');
    await symlink(path, path);
    expect(await told(path)).toContain('ELOOP');
  });

  test.skipIf(process.getuid?.() === 0)('a file without permission', async () => {
    const path = await accessLog();
    await chmod(path, 0);
    expect(await told(path)).toContain('permission (EACCES)');
  });
});

test('waits for a missing file with --watch', async () => {
  const path = join(await temporaryDirectory(), 'later.log');
  const { ended, send, stderr, created } = await collect(['--source', path, '--watch']);
  await expect.poll(() => created).toHaveLength(1);
  await expect.poll(stderr).toContain('it does not exist (ENOENT). Check the path. Waiting for it.');
  await expect
    .poll(() => {
      send('SIGINT');
      return stderr();
    })
    .toContain('Received a signal; stopping');
  expect(await ended).toBe(0);
});
