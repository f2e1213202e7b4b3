import { describe, expect, it } from 'vitest';
import { compareByAge, rotatedFrom } from '../../../../src/collector/sources/tail/rotation-names.ts';

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

  it('are sent from the oldest to the youngest', () => {
    const paths = ['/x.log', '/x.log.2', '/x.log.10', '/x.log.1'];
    expect(paths.sort(compareByAge)).toEqual(['/x.log.10', '/x.log.2', '/x.log.1', '/x.log']);
    const dated = ['/x.log', '/x.log-20261120', '/x.log-20261119'];
    expect(dated.sort(compareByAge)).toEqual(['/x.log-20261119', '/x.log-20261120', '/x.log']);
  });
});
