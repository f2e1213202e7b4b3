import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileDigests } from '../../src/filter-files/file-digests.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('the digest of a file', () => {
  it('changes with the content, and returns with it', async () => {
    const path = join(await temporaryDirectory(), 'a.csv');
    const digests = new FileDigests();
    await writeFile(path, 'one');
    const first = await digests.of(path);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await digests.of(path)).toBe(first);
    await writeFile(path, 'another');
    expect(await digests.of(path)).not.toBe(first);
    await writeFile(path, 'one');
    expect(await digests.of(path)).toBe(first);
  });

  it('is undefined for a file that is missing, and for a pipe without a writer', async () => {
    const path = join(await temporaryDirectory(), 'a.csv');
    const digests = new FileDigests();
    await writeFile(path, 'one');
    await digests.of(path);
    await rm(path);
    expect(await digests.of(path)).toBeUndefined();
    execFileSync('mkfifo', [path]);
    expect(await digests.of(path)).toBeUndefined();
  });
});
