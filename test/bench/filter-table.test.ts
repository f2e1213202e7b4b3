import { expect, test } from 'vitest';
import { type FilterStanding, filterReport } from '../../bench/filters/filter-table.ts';

const log = {
  ...{ path: 'a.log', bytes: 2e8, lines: 1_000_000 },
  expected: { records: 900_000, marked: 90_000, digest: '' },
};

function standing(key: string, seconds: readonly number[], failures: readonly string[] = []): FilterStanding {
  const runs = seconds.map((each) => ({ seconds: each, cpuSeconds: each * 2, peakMemoryBytes: 5e7 }));
  return { name: key, key, version: '1.0', runs, failures };
}

function report(...standings: readonly FilterStanding[]): string {
  return filterReport({ log, rounds: 3, standings }).join('\n');
}

test('the table has medians, and the ratios of the others to ours', () => {
  const text = report(standing('ours-grok', [5, 4, 100]), standing('other', [10, 20, 8]));
  expect(text).toMatch(
    /\| ours-grok +\| +200,000 \| +10,000 \| +250,000 \| +1\.00 x \| +10\.0 \| +1\.00 x \| +50 \| +yes \|/,
  );
  expect(text).toMatch(
    /\| other +\| +100,000 \| +50,000 \| +125,000 \| +2\.00 x \| +20\.0 \| +0\.50 x \| +50 \| +yes \|/,
  );
  expect(text).toContain(
    '200 MB, 1,000,000 lines, of which 900,000 are kept and 90,000 are marked; 3 rounds.',
  );
});

test('a program without a correct run has no number', () => {
  expect(report(standing('other', [], ['the output is wrong']))).toMatch(/\| other +\| +FAILED \|( +\|)+/);
});

test('a program with one wrong output among its runs is not correct, and there is no ratio without ours', () => {
  expect(report(standing('other', [10], ['the output is wrong']))).toMatch(/\| +- \|.*\| +NO \|/);
});
