import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { replaceFile } from '../../../src/runtime/files/replace-file.ts';

async function file(): Promise<{ readonly path: string; readonly directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-replace-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return { path: join(directory, 'a'), directory };
}

test('replaces the content and the permissions, and leaves no temporary file', async () => {
  const { path, directory } = await file();
  await writeFile(path, 'old');
  await replaceFile(path, 'new', { temporary: `${path}.new`, mode: 0o600 });
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['a']);
});

test('does not write into an existing temporary file, which may be a link of another user', async () => {
  const { path } = await file();
  await writeFile(path, 'old');
  await writeFile(`${path}.new`, 'other');
  await expect(replaceFile(path, 'new', { temporary: `${path}.new`, mode: 0o600 })).rejects.toThrow('EEXIST');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readFile(`${path}.new`, 'utf8')).toBe('other');
});
