import { describe, expect, test } from 'vitest';
import { metricDefinition } from '../../src/monitoring/metric-definition.ts';
import { metricSegment } from '../../src/monitoring/metric-segment.ts';

describe('the segment of a metric', () => {
  const problemOf = (segment: unknown) => {
    const [issue] = metricSegment.safeParse(segment).error?.issues ?? [];
    return issue === undefined ? 'no problem' : `${issue.path.join('.')}: ${issue.message}`;
  };

  test('is a property, an expression, or a list of named expressions', () => {
    for (const segment of [
      'section(url.path)',
      'order.items[0].sku',
      { expression: 'duration > 500' },
      [
        { name: 'slow', where: 'duration > 500' },
        { name: 'the rest', where: 'true' },
      ],
    ]) {
      expect(metricSegment.parse(segment)).toEqual(segment);
      const definition = metricDefinition.parse({ id: 'm', segment });
      expect(metricDefinition.parse(JSON.parse(JSON.stringify(definition)))).toEqual(definition);
    }
  });

  test.each([
    ['*', /^: expected a property such as status_code/],
    [{ expression: 'duration >' }, /^expression: .*expected a value/],
    [{ expression: 'body ~ "(?=a)"' }, /^expression: .*look-around/],
    [{ expression: 'resource.env == "a"' }, /^expression: .*a store does not keep resources apart/],
    [[], /^: expected at least one named expression/],
    [[{ name: '', where: 'true' }], /^0\.name: expected a name/],
    [{ expression: 'a == 1', name: 'x' }, /^: Unrecognized key: "name"/],
    [[{ name: 'a', where: 'b ' }], /^0\.where: .*expected a comparison/],
    [
      [
        { name: 'a', where: 'true' },
        { name: 'a', where: 'false' },
      ],
      /expected a different name for each segment, found "a" twice/,
    ],
    [
      Array.from({ length: 17 }, (_, at) => ({ name: `${at}`, where: 'true' })),
      /^: expected .* a list of at most 16 named expressions/,
    ],
    [7, /^: expected a property, an expression, or a list/],
    [null, /^: expected a property, an expression, or a list/],
  ])('is rejected with the reason: %j', (segment, reason) => {
    expect(problemOf(segment)).toMatch(reason);
  });
});
