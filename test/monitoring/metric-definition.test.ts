import { describe, expect, test } from 'vitest';
import {
  identifier,
  metricDefinition,
  pointsRequest,
  STATISTICS,
} from '../../src/monitoring/metric-definition.ts';

const problemsOf = (definition: object) =>
  (metricDefinition.safeParse({ id: 'm', ...definition }).error?.issues ?? []).map(({ path }) =>
    path.join('.'),
  );

test('a definition with only a name counts all records by minute', () => {
  expect(metricDefinition.parse({ id: 'total' })).toEqual({
    id: 'total',
    statistic: 'count',
    property: '*',
    periodSeconds: 60,
    refreshSeconds: 60,
    startOffsetSeconds: 86_400,
    endOffsetSeconds: 60,
  });
});

test('defaults follow the period', () => {
  expect(metricDefinition.parse({ id: 'm', periodSeconds: 10 })).toMatchObject({
    refreshSeconds: 10,
    endOffsetSeconds: 10,
  });
  expect(
    metricDefinition.parse({ id: 'm', periodSeconds: 10, refreshSeconds: 5, endOffsetSeconds: 0 }),
  ).toMatchObject({ refreshSeconds: 5, endOffsetSeconds: 0 });
});

test('keeps a complete definition unchanged', () => {
  const definition = {
    id: 'slow_routes',
    statistic: 'p95',
    property: 'response_bsize',
    periodSeconds: 300,
    refreshSeconds: 60,
    startOffsetSeconds: 7200,
    endOffsetSeconds: 0,
    segment: 'section(url.path)',
    filter: { severity: 'error', where: [{ property: 'status_code', value: '500' }] },
  };
  expect(metricDefinition.parse(definition)).toEqual(definition);
  expect(metricDefinition.parse(metricDefinition.parse(definition))).toEqual(definition);
});

describe('rejects a definition', () => {
  test.each([
    [{ statistic: 'avg' }, 'property'],
    [{ statistic: 'p50', property: '*' }, 'property'],
    [{ statistic: 'sum', property: 'status_code' }, 'statistic'],
    [{ property: 'count(*)' }, 'property'],
    [{ segment: '*' }, 'segment'],
    [{ segment: "split_part(request_route,'/',2)" }, 'segment'],
    [{ periodSeconds: 0 }, 'periodSeconds'],
    [{ periodSeconds: 0.5 }, 'periodSeconds'],
    [{ refreshSeconds: -1 }, 'refreshSeconds'],
    [{ endOffsetSeconds: 86_400 }, 'startOffsetSeconds'],
    [{ startOffsetSeconds: 60 }, 'startOffsetSeconds'],
    [{ startOffsetSeconds: 10, periodSeconds: 3600 }, 'startOffsetSeconds'],
    [{ periodSeconds: 86_400 * 366 + 1 }, 'periodSeconds'],
    [{ filter: { text: '' } }, 'filter.text'],
    [{ unknown: 1 }, ''],
  ])('%j', (definition, place) => {
    expect(problemsOf(definition)).toContain(place);
  });

  test('with any statistic except count of all records', () => {
    for (const statistic of STATISTICS)
      expect(problemsOf({ statistic })).toEqual(statistic === 'count' ? [] : ['property']);
  });
});

test.each(['a', 'requests_per_route', 'a'.repeat(63), 'p99'])('the identifier %s', (name) => {
  expect(identifier.parse(name)).toBe(name);
});

test.each(['', 'A', '1a', '_a', 'a-b', 'a b', 'a'.repeat(64), 'a;drop', 'a"', 'a\n', '__proto__'])(
  'rejects the identifier %j',
  (name) => {
    expect(identifier.safeParse(name).success).toBe(false);
  },
);

test('limits a request for points', () => {
  expect(pointsRequest.parse({})).toEqual({ limit: 100 });
  expect(pointsRequest.parse({ limit: 10_000, segment: '' })).toEqual({ limit: 10_000, segment: '' });
  expect(pointsRequest.safeParse({ limit: 10_001 }).success).toBe(false);
});
