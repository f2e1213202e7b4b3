import { describe, expect, it } from 'vitest';
import { originalPaths } from '../../../../../src/collector/sources/tail/files/original-paths.ts';

describe('originalPaths', () => {
  it.each([
    ['/a/app.log.1', ['/a/app.log']],
    ['/a/app.log.bak', ['/a/app.log']],
    ['/a/app.log~', ['/a/app.log']],
    ['/a/app.log-20261120', ['/a/app.log']],
    [
      '/a/app.log.2026-11-20_10',
      ['/a/app.log', '/a/app.log.2026', '/a/app.log.2026-11', '/a/app.log.2026-11-20'],
    ],
    ['/a/app.log.1.bak', ['/a/app.log', '/a/app.log.1']],
    ['/a/0.log.20261120-081059', ['/a/0.log', '/a/0.log.20261120']],
    ['/a/app-20261120.log', ['/a/app.log']],
    ['/a/app.3.log', ['/a/app.log']],
    ['/a/app.log.20261120T081059Z', ['/a/app.log']],
  ])('returns the paths from which a rotation may have made %s', (path, originals) => {
    expect(originalPaths(path).sort()).toEqual(originals.sort());
  });

  it.each([
    '/a/app.log',
    '/a/app.log.err',
    '/a/app',
    '/a/.log',
    '/a/error.log',
    '/a/app-2.log',
    '/a.1/app.log',
  ])('returns nothing for %s', (path) => {
    expect(originalPaths(path)).toEqual([]);
  });

  it('is fast for a long name', () => {
    expect(originalPaths(`/a/${'1-'.repeat(120)}x`)).toEqual([]);
  });
});
