import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkTail, tailReport } from '../../src/cli/check-tail.ts';
import { tailMatches } from '../../src/cli/tail-matches.ts';
import {
  type TailEntry,
  tailEntriesFromGlobs,
} from '../../src/collector/sources/tail/files/tail-configuration.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function directoryWithFiles(): Promise<string> {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'a/b'), { recursive: true });
  for (const name of ['one.log', 'two.log', 'old.gz', 'a/b/deep.log'])
    await writeFile(join(directory, name), 'x\n');
  return directory;
}

test('lists the files that each pattern matches', async () => {
  const directory = await directoryWithFiles();
  const tail = tailEntriesFromGlobs([`${directory}/*`, `${directory}/**/deep.log`]);
  expect(await tailReport({ tail })).toEqual([
    { pattern: `${directory}/*`, files: [join(directory, 'one.log'), join(directory, 'two.log')] },
    { pattern: `${directory}/**/deep.log`, files: [join(directory, 'a/b/deep.log')] },
  ]);
});

test('fails a one-shot run for a pattern without files, a directory and a dangling link', async () => {
  const directory = await directoryWithFiles();
  await symlink(join(directory, 'loop'), join(directory, 'loop'));
  const { logger } = capturedLogger();
  const check = (glob: string) =>
    checkTail({ tail: tailEntriesFromGlobs([glob]), once: true, sourceFile: undefined }, logger);
  await expect(check(`${directory}/*.txt`)).rejects.toThrow('matches no file. Check the path');
  await expect(check(join(directory, 'a'))).rejects.toThrow('it is a directory (EISDIR)');
  await expect(check(join(directory, 'loop'))).rejects.toThrow('(ELOOP)');
  await expect(check(join(directory, 'one.log'))).resolves.toEqual([]);
});

test('names the reason for a path to something that is not read', async () => {
  const directory = await directoryWithFiles();
  await symlink(join(directory, 'nowhere'), join(directory, 'dangling'));
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  const [plain] = tailEntriesFromGlobs([join(directory, 'one.log')]);
  const excluded = { ...plain, exclude: ['one.*'] };
  const problemsOf = async (tail: readonly TailEntry[]) =>
    (await tailMatches(tail)).flatMap(({ problems }) => problems).join();
  const problemOf = (name: string) => problemsOf(tailEntriesFromGlobs([join(directory, name)]));
  expect(await problemOf('pipe')).toContain('pipe: it is not a regular file. Name a regular file');
  expect(await problemOf('old.gz')).toContain(
    'old.gz: its name ends like that of a compressed file. Decompress',
  );
  expect(await problemOf('dangling')).toContain(
    'dangling: it is a symbolic link to a file that does not exist',
  );
  expect(await problemsOf([excluded as TailEntry])).toContain('one.log: "exclude" leaves it out');
  expect(await problemOf('missing')).toContain('missing matches no file');
});

test.skipIf(process.getuid?.() === 0)('fails a one-shot run for a file without permission', async () => {
  const directory = await directoryWithFiles();
  await chmod(join(directory, 'one.log'), 0);
  const { logger } = capturedLogger();
  const tail = tailEntriesFromGlobs([join(directory, 'one.log')]);
  await expect(checkTail({ tail, once: true, sourceFile: undefined }, logger)).rejects.toThrow('(EACCES)');
});

test('returns what a one-shot run cannot read if it can read other files', async () => {
  const directory = await directoryWithFiles();
  const { logger } = capturedLogger();
  const tail = tailEntriesFromGlobs([join(directory, 'one.log'), join(directory, 'missing.log')]);
  expect(await checkTail({ tail, once: true, sourceFile: undefined }, logger)).toEqual([
    expect.stringContaining('missing.log matches no file'),
  ]);
});
