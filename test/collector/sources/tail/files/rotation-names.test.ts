import { describe, expect, it } from 'vitest';
import { compareByAge, rotatedFrom } from '../../../../../src/collector/sources/tail/files/rotation-names.ts';

describe('rotated names', () => {
  it.each([
    ['/a/x.log.1', '/a/x.log'],
    ['/a/x.log-20261120', '/a/x.log'],
    ['/a/x.log.2026-11-20_10', '/a/x.log'],
    ['/a/x.log', undefined],
    ['/a/x.1.log', undefined],
    ['/a/.1', undefined],
  ])('%s is a generation of %s', (path, base) => {
    expect(rotatedFrom(path)).toBe(base);
  });

  const sorted = (...files: (readonly [path: string, modifiedUnixMs: number])[]) =>
    files
      .map(([path, modifiedUnixMs]) => ({ path, modifiedUnixMs }))
      .sort(compareByAge)
      .map(({ path }) => path);

  it('are ordered from the oldest to the youngest, whether numbers count up or down', () => {
    expect(sorted(['/x.log', 1], ['/x.log.1', 30], ['/x.log.2', 20], ['/x.log.10', 10])).toEqual([
      '/x.log.10',
      '/x.log.2',
      '/x.log.1',
      '/x.log',
    ]);
    expect(sorted(['/x.log', 1], ['/x.log.2', 30], ['/x.log.1', 20])).toEqual([
      '/x.log.1',
      '/x.log.2',
      '/x.log',
    ]);
  });

  it('are ordered by their names when the times of the last writes are equal', () => {
    expect(sorted(['/x.log', 0], ['/x.log.2', 0], ['/x.log.10', 0], ['/x.log.1', 0])).toEqual([
      '/x.log.10',
      '/x.log.2',
      '/x.log.1',
      '/x.log',
    ]);
    expect(sorted(['/x.log', 0], ['/x.log-20261120', 0], ['/x.log-20261119', 0])).toEqual([
      '/x.log-20261119',
      '/x.log-20261120',
      '/x.log',
    ]);
  });
});
