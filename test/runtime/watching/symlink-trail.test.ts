import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { symlinkTrail } from '../../../src/runtime/watching/symlink-trail.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = async () => realpath(await temporaryDirectory());

test('a file without links is its own trail', async () => {
  const path = join(await directory(), 'key');
  await writeFile(path, '');
  expect(await symlinkTrail(path)).toEqual([path]);
});

test('every link on the way is in the trail, also those of directories', async () => {
  const root = await directory();
  await mkdir(join(root, 'v1'));
  await writeFile(join(root, 'v1', 'key'), '');
  await symlink('v1', join(root, 'data'));
  await symlink('data/key', join(root, 'key'));
  expect(await symlinkTrail(join(root, 'key'))).toEqual([
    join(root, 'key'),
    join(root, 'data'),
    join(root, 'v1', 'key'),
  ]);
});

test('the trail ends at the first name that is missing', async () => {
  const root = await directory();
  await symlink('missing/key', join(root, 'key'));
  expect(await symlinkTrail(join(root, 'key'))).toEqual([join(root, 'key'), join(root, 'missing')]);
});

test('a link to itself ends', async () => {
  const root = await directory();
  await symlink('key', join(root, 'key'));
  expect(new Set(await symlinkTrail(join(root, 'key')))).toEqual(new Set([join(root, 'key')]));
});
