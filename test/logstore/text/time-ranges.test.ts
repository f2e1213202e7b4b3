import { expect, test } from 'vitest';
import { merged, uncovered } from '../../../src/logstore/text/time-ranges.ts';

const range = (fromUnixMicro: number, toUnixMicro: number) => ({ fromUnixMicro, toUnixMicro });

test('returns the parts that no other range covers', () => {
  expect(uncovered(range(10, 100), [])).toEqual([range(10, 100)]);
  expect(uncovered(range(10, 100), [range(0, 20), range(30, 40), range(40, 50), range(90, 200)])).toEqual([
    range(20, 30),
    range(50, 90),
  ]);
  expect(uncovered(range(10, 100), [range(0, 100)])).toEqual([]);
  expect(uncovered(range(10, 100), [range(0, 10), range(100, 110)])).toEqual([range(10, 100)]);
});

test('fills the smallest gaps until there are few enough ranges', () => {
  const ranges = [range(0, 10), range(12, 20), range(100, 110), range(111, 120)];
  expect(merged(ranges, 4)).toEqual(ranges);
  expect(merged(ranges, 3)).toEqual([range(0, 10), range(12, 20), range(100, 120)]);
  expect(merged(ranges, 2)).toEqual([range(0, 20), range(100, 120)]);
  expect(merged(ranges, 1)).toEqual([range(0, 120)]);
});
