import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chart } from '../../../../src/cli/monitor/terminal/chart.ts';

const drawn = (values: readonly (number | null)[], rows = 2) => chart({ values, from: 'a', to: 'b', rows });

test('values stand on zero', () => {
  expect(drawn([0, 1, 8, 16, null, 12])).toBe(
    ['16 ┤   █ ▄', '   ┤ ▁██ █', ' 0 ┼──────', '    a    b', ''].join('\n'),
  );
});

test('negative values stand on the least of them', () => {
  expect(drawn([-4, 4, 0])).toBe([' 4 ┤ █', '   ┤ ██', '-4 ┼───', '    a b', ''].join('\n'));
});

test('nothing but zeros is an empty chart', () => {
  expect(drawn([0, 0])).toBe(['0 ┤', '  ┤', '0 ┼──', '   a b', ''].join('\n'));
});

test('any numbers can be drawn', () => {
  const numbers = fc.array(fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })), { minLength: 1 });
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 10 }), (values, rows) => {
      expect(drawn(values, rows).split('\n')).toHaveLength(rows + 3);
    }),
  );
});
