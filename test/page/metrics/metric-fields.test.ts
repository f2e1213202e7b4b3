import { describe, expect, it } from 'vitest';
import { metricDefinition } from '../../../src/monitoring/metric-definition.ts';
import type { MetricDefinition, MetricSegment } from '../../../src/page/api/monitoring.ts';
import { definitionOf, fieldsOfMetric, NEW_METRIC } from '../../../src/page/metrics/metric-fields.ts';

const stored = (given: object) =>
  metricDefinition.parse({ id: 'errors', ...given }) as unknown as MetricDefinition;

describe('the form of a metric', () => {
  it('makes a definition that the aggregator accepts', () => {
    const body = definitionOf({ ...NEW_METRIC, id: ' errors ', filter: ' status_code >= 500 ' });
    expect(body).toEqual({
      id: 'errors',
      statistic: 'count',
      property: '*',
      periodSeconds: 60,
      startOffsetSeconds: 86_400,
      filter: { where: [{ expression: 'status_code >= 500' }] },
    });
    expect(metricDefinition.safeParse(body).success).toBe(true);
  });

  it.each<[string, MetricSegment]>([
    ['a property', 'url.path'],
    ['an expression', { expression: 'duration > 500' }],
    [
      'named expressions',
      [
        { name: 'slow', where: 'url.path == "a:b"' },
        { name: 'fast', where: 'duration <= 500' },
      ],
    ],
  ])('shows and keeps a segment that is %s', (_, segment) => {
    const metric = stored({ segment });
    expect(definitionOf(fieldsOfMetric(metric), metric)).toMatchObject({ segment });
  });

  it('keeps settings that it does not show while the interval stays', () => {
    const metric = stored({ periodSeconds: 300, refreshSeconds: 30, endOffsetSeconds: 90 });
    const fields = fieldsOfMetric(metric);
    expect(definitionOf(fields, metric)).toMatchObject({ refreshSeconds: 30, endOffsetSeconds: 90 });
    expect(definitionOf({ ...fields, periodSeconds: '60' }, metric)).not.toHaveProperty('refreshSeconds');
  });

  it('sends a line without a colon as a name without a condition, which the aggregator rejects', () => {
    const body = definitionOf({ ...NEW_METRIC, id: 'a', segmentKind: 'named', segment: 'slow\n\n' });
    expect(body).toMatchObject({ segment: [{ name: 'slow', where: '' }] });
    expect(metricDefinition.safeParse(body).success).toBe(false);
  });
});
