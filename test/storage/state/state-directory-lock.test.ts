import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type DirectoryLock, lockDirectory } from '../../../src/storage/state/state-directory-lock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { THREAD_ARGUMENTS } from '../../support/thread-arguments.ts';

test('gives the lock to one of many simultaneous processes after each owner ends', async () => {
  const directory = await temporaryDirectory();
  for (let round = 0; round < 40; round++) {
    const locks = await Promise.all(Array.from({ length: 25 }, () => lockDirectory(directory)));
    const held = locks.filter((lock): lock is DirectoryLock => lock !== undefined);
    expect(held.length, `round ${round}`).toBeLessThanOrEqual(1);
    const [holder = await lockDirectory(directory)] = held;
    expect(holder, `round ${round}`).toBeDefined();
    await holder?.release();
  }
});

test('never gives the lock to two processes at once', { timeout: 180_000 }, async () => {
  const directory = await temporaryDirectory();
  const contenders = Array.from({ length: 4 }, () =>
    fork('test/support/lock-contender.ts', [directory, 'contend'], { execArgv: [...THREAD_ARGUMENTS] }),
  );
  onTestFinished(() => {
    for (const contender of contenders) contender.kill('SIGKILL');
  });
  await Promise.all(contenders.map((contender) => once(contender, 'message')));
  const reports = contenders.map(async (contender) => (await once(contender, 'message'))[0]);
  for (const contender of contenders) contender.send('go');
  const results: { held: number; shared: number; error?: string }[] = await Promise.all(reports);
  expect(results.flatMap(({ error }) => error ?? [])).toEqual([]);
  expect(results.reduce((sum, { shared }) => sum + shared, 0)).toBe(0);
  expect(results.reduce((sum, { held }) => sum + held, 0)).toBeGreaterThan(0);
});

test('leaves one name after any number of owners', async () => {
  const directory = await temporaryDirectory();
  for (let round = 0; round < 5; round++) await (await lockDirectory(directory))?.release();
  expect(await readdir(directory)).toEqual(['lock.5']);
});

test('locks a path that is too long for a socket', async () => {
  const directory = join(await temporaryDirectory(), 'x'.repeat(100), 'y'.repeat(100));
  await mkdir(directory, { recursive: true });
  const lock = await lockDirectory(directory);
  expect(lock).toBeDefined();
  expect(await lockDirectory(directory)).toBeUndefined();
  await lock?.release();
  const again = await lockDirectory(directory);
  expect(again).toBeDefined();
  await again?.release();
});
