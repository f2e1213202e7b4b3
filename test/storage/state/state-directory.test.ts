import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { StateDirectory, type StateDirectoryOptions } from '../../../src/storage/state/state-directory.ts';
import {
  StateDirectoryBusyError,
  StateDirectoryUnusableError,
  StateDirectoryVersionError,
} from '../../../src/storage/state/state-directory-error.ts';
import { asUnprivileged } from '../../support/as-unprivileged.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { THREAD_ARGUMENTS } from '../../support/thread-arguments.ts';

const OPTIONS: StateDirectoryOptions = { role: 'collector', layoutVersion: 1 };

async function acquire(path: string, options: Partial<StateDirectoryOptions> = {}): Promise<StateDirectory> {
  const directory = await StateDirectory.acquire(path, { ...OPTIONS, ...options });
  onTestFinished(() => directory.release());
  return directory;
}

describe('a state directory', () => {
  test('is accessible only to its owner', async () => {
    const path = join(await temporaryDirectory(), 'a', 'b');
    await acquire(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  test('has one owner, which is named to the second process, for any path to it', async () => {
    const path = await temporaryDirectory();
    const link = join(await temporaryDirectory(), 'link');
    await symlink(path, link);
    const first = await acquire(path);
    for (const way of [path, link]) {
      const refusal = await acquire(way).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(StateDirectoryBusyError);
      expect(refusal).toMatchObject({
        owner: { role: 'collector', pid: process.pid, since: expect.stringMatching(/^\d{4}-/) },
        message: expect.stringContaining(`the collector with process id ${process.pid} on `),
      });
    }
    await first.release();
    await first.release();
    await acquire(link);
  });

  test('has an owner when the owner file cannot be read', async () => {
    const path = await temporaryDirectory();
    await acquire(path);
    await rm(join(path, 'owner.json'));
    await mkdir(join(path, 'owner.json'));
    await expect(acquire(path)).rejects.toThrow(/is in use by another process/);
    await rm(join(path, 'owner.json'), { recursive: true });
  });

  test('is locked when the owner file cannot be written', async () => {
    const path = await temporaryDirectory();
    await mkdir(join(path, 'owner.json'));
    const directory = await acquire(path);
    await expect(acquire(path)).rejects.toThrow(/is in use by another process/);
    await directory.release();
    await acquire(path);
  });

  test('names its path when it cannot be created', async () => {
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    await expect(acquire(join(file, 'state'))).rejects.toThrow(
      `Cannot create the state directory ${file}/state: ENOTDIR`,
    );
  });

  test.runIf(process.platform === 'linux')('that cannot be written is reported with a remedy', async () => {
    const refusal = acquire('/proc/self');
    await expect(refusal).rejects.toThrow(StateDirectoryUnusableError);
    await expect(refusal).rejects.toThrow(/^Cannot lock the state directory .* Make it writable/);
  });

  test('is free at once after its owner was killed', async () => {
    const path = await temporaryDirectory();
    const holder = fork('test/support/lock-contender.ts', [path, 'hold'], {
      execArgv: [...THREAD_ARGUMENTS],
    });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder, 'message');
    const refusal = acquire(path);
    await expect(refusal).rejects.toThrow(`in use by the collector with process id ${holder.pid} on `);
    await expect(refusal).rejects.toThrow('(lock-contender)');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await acquire(path);
  });

  test.runIf(process.platform === 'linux')(
    'can be locked while another user has bound a name for it',
    async () => {
      const path = await temporaryDirectory();
      await bindAbstract(path);
      const directory = await acquire(path);
      await directory.release();
    },
  );

  test.runIf(process.platform === 'linux')('that version 0.1.0 holds is refused', async () => {
    const path = await temporaryDirectory();
    const { dev, ino } = await stat(path, { bigint: true });
    const script = join(await temporaryDirectory(), 'holder.mjs');
    await writeFile(
      script,
      `import { createServer } from 'node:net';
       createServer().listen('\\0mega-collector/${dev}:${ino}', () => process.send('held'));`,
    );
    const holder = fork(script);
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder, 'message');
    await writeFile(join(path, 'owner.json'), JSON.stringify({ role: 'collector', pid: holder.pid }));
    await expect(acquire(path)).rejects.toThrow(`in use by the collector with process id ${holder.pid}`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await acquire(path);
  });
});

async function bindAbstract(path: string): Promise<void> {
  const { dev, ino } = await stat(path, { bigint: true });
  const server = createServer();
  server.listen(`\0mega-collector/${dev}:${ino}`);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
}

describe('the layout', () => {
  test('is reported as damage when it is missing next to state, with the command that restores it', async () => {
    const path = await temporaryDirectory();
    await mkdir(join(path, 'state'));
    await writeFile(join(path, 'state', 'data.mdb'), '');
    const refusal = await acquire(path).then(
      () => 'acquired',
      (error: Error) => error.message,
    );
    expect(refusal).toContain('layout.json is missing');
    const command = /printf .* > '[^']*'/.exec(refusal)?.[0] ?? '';
    execFileSync('sh', ['-c', command]);
    await acquire(path);
  });

  test('of an older version is migrated once', async () => {
    const path = await temporaryDirectory();
    await (await acquire(path)).release();
    const migrations: number[] = [];
    const migrate = async (_: string, from: number) => void migrations.push(from);
    await (await acquire(path, { layoutVersion: 3, migrate })).release();
    await (await acquire(path, { layoutVersion: 3, migrate })).release();
    expect(migrations).toEqual([1]);
  });

  test('keeps its version when the migration fails, and the directory is free', async () => {
    const path = await temporaryDirectory();
    await (await acquire(path)).release();
    const migrate = () => Promise.reject(new Error('no'));
    await expect(acquire(path, { layoutVersion: 2, migrate })).rejects.toThrow('no');
    expect(JSON.parse(await readFile(join(path, 'layout.json'), 'utf8'))).toEqual({
      role: 'collector',
      version: 1,
    });
    await acquire(path);
  });

  test.each([
    ['a newer version', '{"role":"collector","version":9}', /layout 9, written by a newer/],
    [
      'the other role',
      '{"role":"aggregator","version":1}',
      /belongs to the aggregator\. Use another directory for the collector/,
    ],
    [
      'nothing readable',
      '{"role":',
      /is damaged\. When this version wrote the state last, restore the file and restart: printf/,
    ],
    ['nothing at all', '', /is damaged/],
  ])('of %s is refused, with what to do', async (_, content, message) => {
    const path = await temporaryDirectory();
    await writeFile(join(path, 'layout.json'), content);
    const refusal = acquire(path);
    await expect(refusal).rejects.toThrow(StateDirectoryVersionError);
    await expect(refusal).rejects.toThrow(message);
    expect(await readFile(join(path, 'layout.json'), 'utf8')).toBe(content);
  });
});

describe('the usage of a state directory', () => {
  async function withState(): Promise<string> {
    const path = await temporaryDirectory();
    await mkdir(join(path, 'state'));
    await writeFile(join(path, 'state/data.mdb'), '');
    await writeFile(join(path, 'layout.json'), '{"role":"collector","version":1}');
    return path;
  }

  test('is absent without state, also after a start that did not get as far', async () => {
    const path = await temporaryDirectory();
    expect(await StateDirectory.usage(join(path, 'missing'))).toBe('absent');
    await (await acquire(path)).release();
    expect(await StateDirectory.usage(path)).toBe('absent');
  });

  test('is unavailable while a process holds it, and free afterwards', async () => {
    const path = await withState();
    const held = await acquire(path);
    expect(await StateDirectory.usage(path)).toBe('unavailable');
    await held.release();
    expect(await StateDirectory.usage(path)).toBe('free');
  });

  test.runIf(process.getuid?.() === 0)('is unavailable to another user', async () => {
    const path = await withState();
    await chmod(path, 0o755);
    expect(await asUnprivileged(() => StateDirectory.usage(path))).toBe('unavailable');
  });
});
