import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawChart } from '../../../../src/cli/monitor/terminal/draw-chart.ts';

const drawn = (values: readonly (number | null)[], rows = 2) =>
  drawChart({ values, from: 'a', to: 'b', rows });

test('draws bars from zero', () => {
  expect(drawn([0, 1, 8, 16, null, 12])).toBe(
    ['16 ┤   █ ▄', '   ┤ ▁██ █', ' 0 ┼──────', '    a    b', ''].join('\n'),
  );
});

test('draws bars from the lowest value if there are negative values', () => {
  expect(drawn([-4, 4, 0])).toBe([' 4 ┤ █', '   ┤ ██', '-4 ┼───', '    a b', ''].join('\n'));
});

test('draws an empty chart for zeros only', () => {
  expect(drawn([0, 0])).toBe(['0 ┤', '  ┤', '0 ┼──', '   a b', ''].join('\n'));
});

test('draws any numbers', () => {
  const numbers = fc.array(fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })), { minLength: 1 });
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 10 }), (values, rows) => {
      expect(drawn(values, rows).split('\n')).toHaveLength(rows + 3);
    }),
  );
});
