import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFiles } from '../../../../../src/collector/sources/tail/files/find-files.ts';
import {
  expandBraces,
  globOfPath,
  PathPatterns,
} from '../../../../../src/collector/sources/tail/files/path-patterns.ts';
import { tailEntriesFromGlobs } from '../../../../../src/collector/sources/tail/files/tail-configuration.ts';
import { temporaryDirectory } from '../../../../support/temporary-directory.ts';

const patterns = (...globs: string[]) => new PathPatterns(tailEntriesFromGlobs(globs), '/srv');

describe('PathPatterns', () => {
  it('matches relative globs from the working directory', () => {
    expect(patterns('logs/*.log').classify('/srv/logs/a.log').kind).toBe('read');
    expect(patterns('../x/a.log').classify('/x/a.log').kind).toBe('read');
    expect(patterns('logs/*.log').classify('/srv/logs/deep/a.log').kind).toBe('no-pattern');
  });

  it('does not match compressed and excluded files', () => {
    const [entry] = tailEntriesFromGlobs(['/a/*']);
    const excluding = new PathPatterns(
      [{ ...(entry as NonNullable<typeof entry>), exclude: ['/a/*.tmp'] }],
      '/',
    );
    expect(excluding.classify('/a/x.gz')).toEqual({ kind: 'compressed', suffix: '.gz' });
    expect(excluding.classify('/a/x.tmp').kind).toBe('excluded');
    expect(excluding.classify('/a/x').kind).toBe('read');
    expect(excluding.entryFor('/a/x.tmp')).toBeUndefined();
  });

  it('excludes by name in any directory for a glob without a slash', () => {
    const entries = tailEntriesFromGlobs(['/a/**/*']).map((entry) => ({
      ...entry,
      exclude: ['*.{tmp,swp}', 'b/*.log'],
    }));
    const excluding = new PathPatterns(entries, '/a');
    const excluded = ['/a/x.tmp', '/a/b/c/x.swp', '/a/b/x.log'];
    for (const path of excluded) expect(excluding.classify(path).kind, path).toBe('excluded');
    for (const path of ['/a/x.log', '/a/tmp/x']) expect(excluding.classify(path).kind, path).toBe('read');
  });

  it('returns the first entry that matches a path', () => {
    const entries = [...tailEntriesFromGlobs(['/a/x.log']), ...tailEntriesFromGlobs(['/a/*'])];
    const both = new PathPatterns(entries, '/');
    expect(both.entryFor('/a/x.log')).toBe(entries[0]);
    expect(both.entryFor('/a/y.log')).toBe(entries[1]);
  });

  it('detects directories that may contain files that are read', () => {
    const some = patterns('/a/*/c/*.log', '/deep/**/x.log');
    for (const path of ['/a', '/a/b', '/a/b/c', '/deep', '/deep/1/2/3']) {
      expect(some.mayContain(path), path).toBe(true);
    }
    for (const path of ['/b', '/a/b/d', '/a/b/c/d.txt']) expect(some.mayContain(path), path).toBe(false);
  });

  it('expands braces, because names are matched one by one', () => {
    expect(expandBraces('/a/{b,c/d}/{e,f}')).toEqual(['/a/b/e', '/a/b/f', '/a/c/d/e', '/a/c/d/f']);
    expect(expandBraces('/a/{b,{c,d}}').sort()).toEqual(['/a/b', '/a/c', '/a/d']);
    expect(expandBraces('/a/b')).toEqual(['/a/b']);
  });
});

describe('globOfPath', () => {
  const NAMES = [
    'a b',
    'a[1]',
    'a(1)',
    'a{b,c}',
    '{1..3}',
    'a*?',
    '**',
    '!a',
    '+(x)',
    '@(x|y)',
    'a\\b',
    'a,b',
    "'$^#",
  ];

  it.each(NAMES)('matches only the file %s', async (name) => {
    const directory = join(await temporaryDirectory(), name);
    await mkdir(directory);
    for (const each of [...NAMES, 'a', 'ab', 'ax', 'xx', '1', '2'])
      await writeFile(join(directory, each), 'x');
    const path = join(directory, name);
    const { files } = await findFiles(patterns(globOfPath(path)));
    expect(files.map((file) => file.path)).toEqual([path]);
  });
});
