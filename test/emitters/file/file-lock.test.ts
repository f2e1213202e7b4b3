import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileLock } from '../../../src/emitters/file/file-lock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const isRootOnLinux = process.platform === 'linux' && process.geteuid?.() === 0;

/** Holds the abstract name of the lock of this path, in a process of another user or of this one. */
async function holdName(path: string, uid: number): Promise<void> {
  const key = join(await realpath(dirname(path)), basename(path));
  const name = `mega-collector-file-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  const code = `
    const server = require('node:net').createServer((connection) => connection.end('the other one'));
    server.listen('\\\\0' + ${JSON.stringify(name)}, () => console.log('listening'));`;
  const holder = spawn('setpriv', [
    ...['--reuid', String(uid), '--clear-groups', process.execPath],
    ...['--eval', code.replaceAll('\\\\0', '\\0')],
  ]);
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
}

test.runIf(isRootOnLinux)('a name that another user holds does not lock the file', async () => {
  const path = join(await temporaryDirectory(), 'out.log');
  await holdName(path, 65_534);
  const lock = await FileLock.acquire(path, 'this one');
  expect(lock.isUnprotected).toBe(true);
  lock.release();
});

test.runIf(isRootOnLinux)('a name that a process of this user holds locks the file', async () => {
  const path = join(await temporaryDirectory(), 'out.log');
  await holdName(path, 0);
  await expect(FileLock.acquire(path, 'this one')).rejects.toThrow('the other one');
});

test('a lock is free again after its release', async () => {
  const path = join(await temporaryDirectory(), 'out.log');
  const first = await FileLock.acquire(path, 'the first');
  await expect(FileLock.acquire(path, 'the second')).rejects.toThrow('the first');
  first.release();
  const second = await FileLock.acquire(path, 'the second');
  expect(second.isUnprotected).toBe(false);
  second.release();
});
