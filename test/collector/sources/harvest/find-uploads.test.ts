import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseHarvest } from '../../../../src/collector/sources/harvest/configuration.ts';
import { findUploads } from '../../../../src/collector/sources/harvest/find-uploads.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

async function prepared() {
  const parent = await temporaryDirectory();
  const directory = join(parent, 'uploads');
  await mkdir(join(directory, 'sub/deep'), { recursive: true });
  await writeFile(join(parent, 'secret.log'), 'secret\n');
  for (const name of ['a.log', 'sub/b.log', 'sub/deep/c.log'])
    await writeFile(join(directory, name), `${name}\n`);
  return { parent, directory };
}

async function found(directory: string, options: object = {}) {
  const { uploads, ...others } = await findUploads(
    parseHarvest(JSON.stringify([{ path: directory, ...options }])),
  );
  return { ...others, names: uploads.map(({ path }) => relative(directory, path)).sort() };
}

test('finds the files of the directory, and those below it only when it is recursive', async () => {
  const { directory } = await prepared();
  expect((await found(directory)).names).toEqual(['a.log']);
  expect((await found(directory, { recursive: true })).names).toEqual([
    'a.log',
    'sub/b.log',
    'sub/deep/c.log',
  ]);
});

test('leaves out ignored names, and everything below an ignored directory', async () => {
  const { directory } = await prepared();
  await mkdir(join(directory, '.hidden'));
  for (const name of ['.a.log.Xy12', 'b.part', 'c.tmp', 'd.filepart', '.hidden/e.log'])
    await writeFile(join(directory, name), 'x');
  const { names, ignored } = await found(directory, { recursive: true });
  expect(names).toEqual(['a.log', 'sub/b.log', 'sub/deep/c.log']);
  expect(ignored.size).toBe(4);
  expect((await found(directory, { ignore: ['a*'] })).names).toEqual([
    '.a.log.Xy12',
    'b.part',
    'c.tmp',
    'd.filepart',
  ]);
});

test('follows no link, neither to a file nor to a directory', async () => {
  const { parent, directory } = await prepared();
  await symlink(join(parent, 'secret.log'), join(directory, 'link.log'));
  await symlink(parent, join(directory, 'parent'));
  await symlink(directory, join(directory, 'circle'));
  expect((await found(directory, { recursive: true })).names).toEqual([
    'a.log',
    'sub/b.log',
    'sub/deep/c.log',
  ]);
});

test('leaves out sockets and pipes', async () => {
  const { directory } = await prepared();
  const server = createServer().listen(join(directory, 'socket.log'));
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  execFileSync('mkfifo', [join(directory, 'pipe.log')]);
  expect((await found(directory)).names).toEqual(['a.log']);
});

test('finds files with hostile names', async () => {
  const { directory } = await prepared();
  const names = ['-rf', 'a\nb.log', '$(touch x)', 'é😀.log', "'; drop", '..x', '*'];
  for (const name of names) await writeFile(join(directory, name), 'x');
  expect((await found(directory, { ignore: [] })).names).toEqual([...names, 'a.log'].sort());
});

test('reports names that are not UTF-8', async () => {
  const { directory } = await prepared();
  await writeFile(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0x2e])]), 'x');
  const { names, nonUtf8Paths } = await found(directory);
  expect(names).toEqual(['a.log']);
  expect([...nonUtf8Paths].map((path) => basename(path))).toEqual(['\ufffd.']);
});

test('reports a directory that cannot be listed', async () => {
  const { parent } = await prepared();
  const { names, unreadable } = await found(join(parent, 'missing'));
  expect(names).toEqual([]);
  expect([...unreadable.keys()]).toEqual([join(parent, 'missing')]);
});
