import { expect, test } from 'vitest';
import { drawSparkline } from '../../../../src/cli/monitor/terminal/draw-sparkline.ts';

test.each([
  [[0, 1, 2, 3, 4, 5, 6, 7], '▁▂▃▄▅▆▇█'],
  [[10, null, 5], '█ ▅'],
  [[-7, 0, 7], '▁▅█'],
  [[0, 0], '▁▁'],
  [[null], ' '],
  [[], ''],
])('%j: %j', (values, line) => {
  expect(drawSparkline(values)).toBe(line);
});
