import { constants } from 'node:fs';
import { appendFile, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { LocalDevices } from '../../../../../src/collector/sources/tail/files/local-devices.ts';
import { LocalFile } from '../../../../../src/collector/sources/tail/files/local-file.ts';
import { isLocalDirectory } from '../../../../../src/collector/sources/tail/files/local-file-systems.ts';
import { temporaryDirectory } from '../../../../support/temporary-directory.ts';

const SMALL = 1_000;
const LARGE = 3 * 1024 * 1024;

test.each([
  ['a part', SMALL, 100, SMALL - 100],
  ['to the end of the file', SMALL, 900, LARGE],
  ['nothing after the end', SMALL, SMALL, 10],
  ['more than is read without a thread', LARGE, 17, LARGE - 17],
])('reads the same bytes as a file handle: %s', async (_case, sizeBytes, position, length) => {
  const path = await fileOf(sizeBytes);
  const handle = await open(path);
  onTestFinished(() => handle.close());
  const file = localFile(path);
  const [expected, found] = [Buffer.alloc(length), Buffer.alloc(length)];
  const { bytesRead } = await handle.read(expected, 0, length, position);
  expect((await file.read(found, 0, length, position)).bytesRead).toBe(bytesRead);
  expect(found.equals(expected)).toBe(true);
});

test.each([SMALL, LARGE])('fills several buffers from a file of %d bytes', async (sizeBytes) => {
  const path = await fileOf(sizeBytes);
  const buffers = [Buffer.alloc(64), Buffer.alloc(LARGE)];
  const { bytesRead } = await localFile(path).readv(buffers, 5);
  expect(bytesRead).toBe(Math.min(64 + LARGE, sizeBytes - 5));
  expect(Buffer.concat(buffers).subarray(0, bytesRead).equals(contentOf(sizeBytes).subarray(5))).toBe(true);
});

test('returns the size of a file that has grown', async () => {
  const path = await fileOf(SMALL);
  const file = localFile(path);
  await appendFile(path, 'more');
  expect((await file.stat()).size).toBe(SMALL + 4);
  expect((await file.stat({ bigint: true })).size).toBe(BigInt(SMALL + 4));
});

test('throws the error of the file system for a file that does not exist', async () => {
  const path = join(await temporaryDirectory(), 'none');
  expect(() => new LocalFile(path, constants.O_RDONLY)).toThrow('ENOENT');
});

test('gives other work its turn between many reads', async () => {
  const file = localFile(await fileOf(SMALL));
  let others = 0;
  const other = (async () => {
    for (; others < 2; others++) await setImmediate();
  })();
  for (let count = 0; count < 100; count++) await file.read(Buffer.alloc(1), 0, 1, 0);
  expect(others).toBe(2);
  await other;
});

test('a device is local when it was examined and is on this machine', async () => {
  const devices = new LocalDevices();
  expect(devices.has('1')).toBe(false);
  const directory = await temporaryDirectory();
  await devices.examine('1', directory);
  await devices.examine('2', '/proc/self');
  expect([devices.has('1'), devices.has('2')]).toEqual([await isLocalDirectory(directory), false]);
});

function localFile(path: string): LocalFile {
  const file = new LocalFile(path, constants.O_RDONLY);
  onTestFinished(() => file.close());
  return file;
}

async function fileOf(sizeBytes: number): Promise<string> {
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, contentOf(sizeBytes));
  return path;
}

function contentOf(sizeBytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 31) % 251));
}
