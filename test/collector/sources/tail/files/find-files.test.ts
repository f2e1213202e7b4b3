import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { findFiles } from '../../../../../src/collector/sources/tail/files/find-files.ts';
import { isLocalDirectory } from '../../../../../src/collector/sources/tail/files/local-file-systems.ts';
import { PathPatterns } from '../../../../../src/collector/sources/tail/files/path-patterns.ts';
import { tailEntriesFromGlobs } from '../../../../../src/collector/sources/tail/files/tail-configuration.ts';

vi.mock('node:fs', { spy: true });
vi.mock('../../../../../src/collector/sources/tail/files/local-file-systems.ts', { spy: true });

beforeEach(() => void vi.clearAllMocks());

function directoryWith(files: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'find-files-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'logs'));
  for (let index = 0; index < files; index++)
    writeFileSync(join(directory, 'logs', `${index}.log`), 'line\n');
  return directory;
}

function patternsOf(directory: string): PathPatterns {
  return new PathPatterns(tailEntriesFromGlobs([join(directory, 'logs', '*.log')]), '/');
}

test.each([true, false])('finds the same files when the directory is local: %s', async (isLocal) => {
  vi.mocked(isLocalDirectory).mockResolvedValue(isLocal);
  const directory = directoryWith(100);
  const { files } = await findFiles(patternsOf(directory));
  expect(files).toHaveLength(100);
  expect(files[0]).toMatchObject({ path: join(directory, 'logs', '0.log'), sizeBytes: 5 });
  expect(vi.mocked(statSync).mock.calls).toHaveLength(isLocal ? 100 : 0);
});

test('other work has its turn while the files of a local directory are looked up', async () => {
  vi.mocked(isLocalDirectory).mockResolvedValue(true);
  const patterns = patternsOf(directoryWith(100));
  const turns = new Set<number>();
  const watch = () => {
    turns.add(vi.mocked(statSync).mock.calls.length);
    immediate = setImmediate(watch);
  };
  let immediate = setImmediate(watch);
  await findFiles(patterns);
  clearImmediate(immediate);
  expect([...turns].filter((calls) => calls > 0 && calls < 100).length).toBeGreaterThan(1);
});

test('a symbolic link is looked up without blocking, because its target may be on a network', async () => {
  vi.mocked(isLocalDirectory).mockResolvedValue(true);
  const directory = directoryWith(0);
  writeFileSync(join(directory, 'target'), 'line\n');
  symlinkSync(join(directory, 'target'), join(directory, 'logs', 'link.log'));
  const { files } = await findFiles(patternsOf(directory));
  expect(files).toHaveLength(1);
  expect(statSync).not.toHaveBeenCalled();
});
