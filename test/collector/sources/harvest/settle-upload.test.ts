import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseHarvest } from '../../../../src/collector/sources/harvest/configuration.ts';
import { findUploads } from '../../../../src/collector/sources/harvest/find-uploads.ts';
import {
  deleteUpload,
  moveUpload,
  UploadChanged,
} from '../../../../src/collector/sources/harvest/settle-upload.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

async function prepared(name = 'sub/a.log') {
  const parent = await temporaryDirectory();
  const directory = join(parent, 'uploads');
  await mkdir(join(directory, 'sub'), { recursive: true });
  await writeFile(join(directory, name), 'text\n');
  const entries = parseHarvest(JSON.stringify([{ path: directory, recursive: true }]));
  const [upload] = (await findUploads(entries)).uploads;
  if (upload === undefined) throw new Error('no upload');
  return { parent, directory, upload, path: join(directory, name), done: join(parent, 'done') };
}

test('moves a file with its path below the upload directory', async () => {
  const { upload, path, done } = await prepared();
  expect(await moveUpload(upload, done)).toBe(join(done, 'sub/a.log'));
  expect(await readFile(join(done, 'sub/a.log'), 'utf8')).toBe('text\n');
  expect(existsSync(path)).toBe(false);
});

test('numbers a file whose name exists, before its extension', async () => {
  const { upload, done } = await prepared();
  await mkdir(join(done, 'sub'), { recursive: true });
  for (const name of ['a.log', 'a.1.log']) await writeFile(join(done, 'sub', name), name);
  await moveUpload(upload, done);
  expect((await readdir(join(done, 'sub'))).sort()).toEqual(['a.1.log', 'a.2.log', 'a.log']);
  expect(await readFile(join(done, 'sub/a.log'), 'utf8')).toBe('a.log');
});

test('copies a file to another file system, and deletes it then', async () => {
  const { upload, path } = await prepared();
  const done = await mkdtemp('/dev/shm/mega-collector-test-');
  onTestFinished(() => rm(done, { recursive: true, force: true }));
  expect(statSync(done).dev).not.toBe(statSync(path).dev);
  expect(await moveUpload(upload, done)).toBe(join(done, 'sub/a.log'));
  expect(await readdir(join(done, 'sub'))).toEqual(['a.log']);
  expect(existsSync(path)).toBe(false);
});

test('deletes no file that was written to, and no other file at its path', async () => {
  const { upload, path } = await prepared();
  await writeFile(path, 'text\n');
  await expect(deleteUpload(upload)).rejects.toThrow(UploadChanged);
  const { upload: other, path: otherPath, parent } = await prepared();
  await writeFile(join(parent, 'new.log'), 'text\n');
  await rename(join(parent, 'new.log'), otherPath);
  await expect(deleteUpload(other)).rejects.toThrow(UploadChanged);
  expect([existsSync(path), existsSync(otherPath)]).toEqual([true, true]);
});

test('deletes no file outside, when the directory of the upload was replaced by a link', async () => {
  const { upload, parent, directory } = await prepared();
  const outside = join(parent, 'outside');
  await rename(join(directory, 'sub'), outside);
  await symlink(outside, join(directory, 'sub'));
  // It is the same file, at the same path.
  expect(existsSync(upload.path)).toBe(true);
  await expect(deleteUpload(upload)).rejects.toThrow(UploadChanged);
  await expect(moveUpload(upload, join(parent, 'done'))).rejects.toThrow(UploadChanged);
  expect(existsSync(join(outside, 'a.log'))).toBe(true);
});

test('reports that the file is gone', async () => {
  const { upload, path, done } = await prepared();
  await rename(path, `${path}.other`);
  await expect(deleteUpload(upload)).rejects.toThrow('ENOENT');
  await expect(moveUpload(upload, done)).rejects.toThrow('ENOENT');
});
