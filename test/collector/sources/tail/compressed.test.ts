import { rename, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compressionOf } from '../../../../src/collector/sources/tail/files/compression-magic.ts';
import { PathPatterns } from '../../../../src/collector/sources/tail/files/path-patterns.ts';
import { tailEntriesFromGlobs } from '../../../../src/collector/sources/tail/files/tail-configuration.ts';
import { numbered, Tailing } from './tailing.ts';

const GZIP = gzipSync(numbered(1, 500));
const NOT_READ = 'A file is not read because it is compressed: decompress it, or list it in "exclude"';

describe('a compressed file', () => {
  it('is not read under any name, is logged once, and is explained', async () => {
    const tailing = await Tailing.start();
    await tailing.append('app.log', numbered(1, 5));
    await writeFile(tailing.path('app.log.1.tmp'), GZIP);
    await tailing.pass(12_000);
    expect(tailing.taken.text()).toBe(numbered(1, 5));
    expect(tailing.messages()).toEqual([NOT_READ]);
    expect(await tailing.source.explain('app.log.1.tmp')).toMatchObject({
      kind: 'not-read',
      reason: expect.stringContaining('gzip'),
    });
  });

  it('is not read when it is empty at first and grows in pieces', async () => {
    const tailing = await Tailing.start();
    for (let end = 0; end < 12; end++) {
      await writeFile(tailing.path('app.log.1.tmp'), GZIP.subarray(0, end));
      await tailing.pass(6_000);
    }
    await writeFile(tailing.path('app.log.1.tmp'), GZIP);
    await rename(tailing.path('app.log.1.tmp'), tailing.path('app.log.old'));
    await tailing.pass(6_000);
    expect(tailing.taken.text()).toBe('');
  });

  it('is read as soon as it is rewritten as text', async () => {
    const tailing = await Tailing.start();
    await writeFile(tailing.path('app.log'), GZIP);
    await tailing.turn();
    await writeFile(tailing.path('app.log'), numbered(1, 5));
    await tailing.turn();
    expect(tailing.taken.text()).toBe(numbered(1, 5));
  });

  it.each(['gz', 'GZ', 'tgz', 'Z', 'lz4', 'lzma', 'zst', 'zstd', 'xz', 'bz2', 'zip', 'lz', 'TAR.GZ'])(
    'is not read when its name ends in .%s',
    (suffix) => {
      const patterns = new PathPatterns(tailEntriesFromGlobs(['/logs/*']), '/');
      expect(patterns.classify(`/logs/app.log.${suffix}`).kind).toBe('compressed');
    },
  );

  it.each([
    ['gzip', '1f8b0808'],
    ['zstd', '28b52ffd'],
    ['zstd', '502a4d18'],
    ['xz', 'fd377a585a00'],
    ['bzip2', '425a6839314159265359'],
    ['lz4', '04224d18'],
    ['zip', '504b0304'],
    ['compress', '1f9d90'],
    ['lzma', '5d00008000'],
    ['lzip', '4c5a495001'],
  ])('is recognized as %s by its first bytes %s', (kind, hex) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(compressionOf(bytes)).toEqual({ kind });
    expect(compressionOf(bytes.subarray(0, 1))).toBe('undecided');
  });

  it.each([
    'PK means pack\n',
    'BZh is no compression\n',
    '(a line\n',
    ']\n',
    'LZIP\n',
    '\n',
    '2026-11-20 x\n',
  ])('is not what begins with %j', (text) => {
    expect(compressionOf(Buffer.from(text))).toBeUndefined();
  });
});
