import { describe, expect, it } from 'vitest';
import { parseExpression } from '../../../src/expressions/parse-expression.ts';
import type { LogFilter } from '../../../src/page/api/monitoring.ts';
import { filterText, segmentText, statisticText } from '../../../src/page/metrics/metric-text.ts';

describe('the text of a filter', () => {
  it.each<[LogFilter, string]>([
    [{ where: [{ expression: 'a == 1 or b == 2' }] }, 'a == 1 or b == 2'],
    [{ severity: 'error', host: 'web "1"' }, 'severity >= error and host == "web \\"1\\""'],
    [
      { text: 'time out', where: [{ property: 'status', value: '500' }, { expression: 'a == 1 or b == 2' }] },
      'body contains* "time out" and status == "500" and (a == 1 or b == 2)',
    ],
  ])('of %j is an expression', (filter, expected) => {
    expect(filterText(filter)).toBe(expected);
    expect(() => parseExpression(expected)).not.toThrow();
  });

  it('is empty without a filter', () => {
    expect([filterText(undefined), filterText({})]).toEqual(['', '']);
  });
});

describe('a metric in words', () => {
  it('names the statistic and the property', () => {
    expect(statisticText({ statistic: 'p95', property: 'duration' })).toBe('p95 of duration');
    expect(statisticText({ statistic: 'count', property: '*' })).toBe('count of records');
  });

  it('names the segments', () => {
    expect(segmentText(undefined)).toBe('none');
    expect(segmentText('host')).toBe('host');
    expect(segmentText({ expression: 'a > 1' })).toBe('true and false of a > 1');
    expect(segmentText([{ name: 'slow', where: 'a > 1' }])).toBe('slow: a > 1');
  });
});
