import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { tailEntriesFromGlobs } from '../../../../src/collector/sources/tail/files/tail-configuration.ts';
import { QuietCheck } from '../../../../src/collector/sources/tail/scanning/quiet-check.ts';
import { createTailSource } from '../../../../src/collector/sources/tail/tail-source.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { PullingSink } from '../../../support/pulling-sink.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { numbered, Tailing } from './tailing.ts';

describe('discovery', () => {
  it('polls again after a poll that failed', async () => {
    const tail = await Tailing.start({ limits: { pollMs: 10_000 } });
    const isEnough = vi.spyOn(QuietCheck.prototype, 'isEnough').mockRejectedValue(new Error('no memory'));
    onTestFinished(() => isEnough.mockRestore());
    const nextPoll = async () => {
      await tail.clock.advance(10_000);
      await tail.sink.idle();
      return isEnough.mock.calls.length;
    };
    await expect.poll(nextPoll, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
  });

  it('finds files in directories that appear later, at any depth', async () => {
    const tail = await Tailing.start({ globs: ['**/*.log', '/nowhere/*/x.log'] });
    await mkdir(tail.path('a/b'), { recursive: true });
    await tail.append('a/b/deep.log', 'deep\n');
    await tail.append('a/other.txt', 'no\n');
    await tail.turn();
    expect(tail.taken.text()).toBe('deep\n');
  });

  it('does not read compressed and excluded files, and explains why', async () => {
    const tail = await Tailing.prepare({ globs: ['*'], entry: { exclude: ['*.tmp'] } });
    for (const name of ['a.gz', 'a.zst', 'a.xz', 'a.bz2', 'a.zip', 'a.tmp']) await tail.append(name, 'no\n');
    await mkdir(tail.path('directory'));
    await tail.append('a.log', 'yes\n');
    await tail.start();
    expect(tail.taken.text()).toBe('yes\n');
    const reason = async (name: string) => {
      const explanation = await tail.source.explain(name);
      return explanation.kind === 'not-read' ? explanation.reason : explanation.kind;
    };
    expect(await reason('a.gz')).toContain('.gz');
    expect(await reason('a.tmp')).toContain('*.tmp');
    expect(await reason('directory')).toContain('not a regular file');
    expect(await reason('missing')).toContain('ENOENT');
    expect(await reason('a.log')).toBe('followed');
    expect(await reason('/etc/hostname')).toContain('no pattern');
  });

  it('explains to an aggregator only files that it reads or would read', async () => {
    const tail = await Tailing.prepare({ globs: ['*'], entry: { exclude: ['*.tmp'] } });
    await tail.append('a.log', 'yes\n');
    await tail.append('a.tmp', 'no\n');
    await tail.start();
    const reason = async (file: string) => {
      const explanation = await tail.source.explain(file, 'aggregator');
      return explanation.kind === 'not-read' ? explanation.reason : explanation.kind;
    };
    expect(await reason(tail.path('a.log'))).toBe('followed');
    expect(await reason(tail.path('missing.log'))).toContain('ENOENT');
    expect(await reason(tail.path('a.tmp'))).toBe('it is excluded (*.tmp)');
    expect(await reason(tail.path('missing.tmp'))).toBe('it is excluded (*.tmp)');
    expect(await reason('/etc/hostname')).toBe('no pattern matches it');
    expect(await reason('/etc/missing')).toBe('no pattern matches it');
    expect(await reason(`${tail.path('')}/../../../../etc/hostname`)).toBe('no pattern matches it');
    expect(await tail.source.explain('a.log', 'aggregator')).toEqual({
      ...{ kind: 'not-read', path: 'a.log', reason: 'it is not an absolute path' },
    });
  });

  it('explains to an aggregator a followed file that was renamed to a name without a pattern', async () => {
    const tail = await Tailing.prepare({ globs: ['*.log'] });
    await tail.append('a.log', 'yes\n');
    await tail.start();
    await rename(tail.path('a.log'), tail.path('a.log.old'));
    await tail.turn();
    expect(await tail.source.explain(tail.path('a.log.old'), 'aggregator')).toEqual(
      await tail.source.explain(tail.path('a.log.old'), 'owner'),
    );
  });

  it('logs once that a name is not UTF-8, and reads the other files', async () => {
    const tail = await Tailing.start({ globs: ['**/*'] });
    await writeFile(Buffer.concat([Buffer.from(tail.path('bad')), Buffer.of(0xff)]), 'no\n');
    await mkdir(Buffer.concat([Buffer.from(tail.path('dir')), Buffer.of(0xff)]));
    await tail.append('good\nname', 'yes\n');
    await tail.turn();
    await tail.turn();
    expect(tail.taken.text()).toBe('yes\n');
    const told = tail.log.filter(({ level }) => level === 50).map(({ path }) => path);
    expect(told).toHaveLength(2);
    expect(told).toEqual(expect.arrayContaining([tail.path('bad\ufffd'), tail.path('dir\ufffd')]));
    expect(await tail.source.explain('bad\ufffd')).toMatchObject({ reason: 'its name is not UTF-8' });
  });

  it('does not start a stream for an empty file until it has bytes', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', '');
    await tail.turn();
    expect(tail.sink.opened).toHaveLength(0);
    expect(await tail.source.explain('a.log')).toMatchObject({ reason: 'it is empty' });
    await tail.append('a.log', 'x\n');
    await tail.turn();
    expect(tail.taken.text()).toBe('x\n');
  });

  it('finds a file through a link to its directory', async () => {
    const tail = await Tailing.prepare({ globs: ['linked/*.log'] });
    await mkdir(tail.path('real'));
    await tail.append('real/a.log', 'x\n');
    await symlink(tail.path('real'), tail.path('linked'));
    await tail.start();
    expect(tail.taken.text()).toBe('x\n');
  });

  it('keeps a file while its directory cannot be read', async () => {
    const tail = await Tailing.prepare({ globs: ['d/*.log'] });
    await chmod(dirname(tail.logs), 0o755);
    await mkdir(tail.path('d'));
    await tail.append('d/a.log', numbered(0, 5));
    await tail.start();
    await tail.append('d/a.log', numbered(5, 5));
    await asNobody(async () => {
      await tail.turn();
      await tail.pass(3_000);
    }, tail.path('d'));
    await tail.append('d/a.log', numbered(10, 5));
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 15));
    expect(tail.taken.streamIds).toHaveLength(1);
  });

  it('reads a file when its permission is restored', async () => {
    const tail = await Tailing.prepare({ limits: { openFiles: 0 } });
    await chmod(dirname(tail.logs), 0o755);
    await tail.append('a.log', numbered(0, 5));
    await tail.start();
    await tail.append('a.log', numbered(5, 5));
    await tail.append('b.log', numbered(100, 5));
    await asNobody(
      async () => {
        await tail.turn();
        expect(await tail.source.explain('b.log')).toMatchObject({
          reason: expect.stringContaining('permission') as string,
        });
      },
      tail.path('a.log'),
      tail.path('b.log'),
    );
    await tail.turn();
    expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(0, 10));
    expect(tail.taken.text(tail.path('b.log'))).toBe(numbered(100, 5));
    expect(tail.messages()).toContain('Cannot open a file; trying again at the next scan');
  });

  it('opens no more files than the limit, and reads all of them', async () => {
    const tail = await Tailing.prepare({ limits: { openFiles: 3 } });
    for (let i = 0; i < 20; i++) await tail.append(`${i}.log`, numbered(i, 1));
    await tail.start();
    for (let i = 0; i < 20; i++) await tail.append(`${i}.log`, numbered(100 + i, 1));
    await tail.turn();
    for (let i = 0; i < 20; i++) {
      expect(tail.taken.text(tail.path(`${i}.log`))).toBe(numbered(i, 1) + numbered(100 + i, 1));
    }
    expect(openFilesIn(tail.logs)).toBeLessThanOrEqual(3);
  });

  it('finds a closed file again after it was renamed', async () => {
    const tail = await Tailing.prepare({ globs: ['?.log'], limits: { openFiles: 0 } });
    await tail.append('a.log', numbered(0, 5));
    await tail.start();
    await tail.append('a.log', numbered(5, 5));
    tail.sink.paused = true;
    await rename(tail.path('a.log'), tail.path('elsewhere'));
    await tail.append('a.log', numbered(10, 5));
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe(numbered(0, 15));
  });
});

describe('DirectoryWatcher', () => {
  it('reports new bytes, new files and new directories, without a watch on any file', async () => {
    const directory = await temporaryDirectory();
    const logs = join(directory, 'logs');
    await mkdir(logs);
    for (let i = 0; i < 1_000; i++) await writeFile(join(logs, `${i}.log`), `file ${i}\n`);
    const store = await openStateStore(join(directory, 'state'));
    const watchesBefore = inotifyWatches();
    const source = createTailSource({
      entries: tailEntriesFromGlobs([`${logs}/**/*.log`]),
      resource: new Map(),
      store,
      clock: systemClock,
      logger: capturedLogger().logger,
      metrics: new Registry(),
      once: false,
      limits: { pollMs: 3_600_000 },
    });
    const sink = new PullingSink();
    onTestFinished(async () => {
      await source.stop(AbortSignal.timeout(5_000));
      await source.close();
      await store.close();
    });
    await source.start(sink);
    await sink.idle();
    expect(sink.taken.streamIds).toHaveLength(1_000);
    expect(inotifyWatches() - watchesBefore).toBeLessThanOrEqual(2);
    await writeFile(join(logs, '7.log'), 'more\n', { flag: 'a' });
    await vi.waitFor(() => expect(sink.taken.text(join(logs, '7.log'))).toBe('file 7\nmore\n'), 10_000);
    await mkdir(join(logs, 'new/deeper'), { recursive: true });
    await writeFile(join(logs, 'new/deeper/x.log'), 'x\n');
    await vi.waitFor(() => expect(sink.taken.text(join(logs, 'new/deeper/x.log'))).toBe('x\n'), 10_000);
    await rm(join(logs, 'new'), { recursive: true });
    await mkdir(join(logs, 'new/deeper'), { recursive: true });
    await writeFile(join(logs, 'new/deeper/y.log'), 'y\n');
    await vi.waitFor(() => expect(sink.taken.text(join(logs, 'new/deeper/y.log'))).toBe('y\n'), 10_000);
  });
});

/** Removes the permissions of these paths, also for a superuser. */
async function asNobody(work: () => Promise<void>, ...paths: string[]): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  for (const path of paths) await chmod(path, 0o000);
  if (isRoot) process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
    for (const path of paths) await chmod(path, 0o755);
  }
}

function openFilesIn(directory: string): number {
  const { readlinkSync } = process.getBuiltinModule('node:fs');
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)) count++;
    } catch {
      // It was closed in the meantime.
    }
  }
  return count;
}

function inotifyWatches(): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fdinfo')) {
    try {
      count += readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').match(/^inotify wd/gm)?.length ?? 0;
    } catch {
      // It was closed in the meantime.
    }
  }
  return count;
}
