import { expect, test } from 'vitest';
import { alertDefinition, COMPARISONS } from '../../src/monitoring/alert-definition.ts';

const MINIMAL = { id: 'a', metric: 'm', level: 10 };

test('a definition with only a metric and a level compares the average of the last minute', () => {
  expect(alertDefinition.parse(MINIMAL)).toEqual({
    ...MINIMAL,
    statistic: 'avg',
    comparison: '>',
    windowSeconds: 60,
    forSeconds: 0,
    noData: 'no-data',
    notify: true,
  });
});

test('keeps a complete definition unchanged', () => {
  const definition = {
    ...MINIMAL,
    level: -0.5,
    statistic: 'max',
    comparison: '!=',
    windowSeconds: 600,
    forSeconds: 120,
    checkSeconds: 5,
    noData: 'keep',
    fillMissing: false,
    notify: false,
  };
  expect(alertDefinition.parse(definition)).toEqual(definition);
});

test.each(COMPARISONS)('it may compare by %s', (comparison) => {
  expect(alertDefinition.parse({ ...MINIMAL, comparison })).toMatchObject({ comparison });
});

test.each([
  [{ id: 'A' }, 'id'],
  [{ metric: "m'; drop table alerts" }, 'metric'],
  [{ level: '10' }, 'level'],
  [{ level: Number.NaN }, 'level'],
  [{ level: Number.POSITIVE_INFINITY }, 'level'],
  [{ level: undefined }, 'level'],
  [{ statistic: 'sum' }, 'statistic'],
  [{ comparison: '=' }, 'comparison'],
  [{ comparison: '> 0 or 1 =' }, 'comparison'],
  [{ windowSeconds: 0 }, 'windowSeconds'],
  [{ forSeconds: -1 }, 'forSeconds'],
  [{ checkSeconds: 0 }, 'checkSeconds'],
  [{ noData: 'nodata' }, 'noData'],
  [{ notify: 'yes' }, 'notify'],
  [{ threshold: 1 }, ''],
])('rejects %j', (definition, place) => {
  const issues = alertDefinition.safeParse({ ...MINIMAL, ...definition }).error?.issues ?? [];
  expect(issues.map(({ path }) => path.join('.'))).toEqual([place]);
});
