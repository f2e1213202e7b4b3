import { expect, test } from 'vitest';
import { readSettings, runsSection } from '../../bench/settings.ts';

test('the log of the filters is small by default, and has the size of BENCH_MB if that is set', () => {
  expect(readSettings({}, [], [])).toMatchObject({ megabytes: 1000, filterMegabytes: 100 });
  expect(readSettings({ BENCH_MB: '20' }, [], [])).toMatchObject({ megabytes: 20, filterMegabytes: 20 });
  expect(readSettings({ BENCH_MB: '2000' }, [], [])).toMatchObject({ filterMegabytes: 2000 });
});

test('BENCH_ONLY=filters runs that section alone, without BENCH_ONLY every section runs', () => {
  const only = readSettings({ BENCH_ONLY: 'filters' }, [], []);
  expect(runsSection(only, 'filters')).toBe(true);
  expect(runsSection(only, 'transfer')).toBe(false);
  expect(runsSection(readSettings({}, [], []), 'filters')).toBe(true);
});

test('a word of BENCH_ONLY that is no section and no contender is an error', () => {
  expect(() => readSettings({ BENCH_ONLY: 'filter' }, [], ['ours'])).toThrow('filter is none of');
});
