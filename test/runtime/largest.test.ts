import { expect, test } from 'vitest';
import { largest } from '../../src/runtime/largest.ts';

const identity = (value: number) => value;

test('returns the largest items, the largest first', () => {
  expect(largest([3, 9, 1, 7, 8], 3, identity)).toEqual([9, 8, 7]);
});

test('returns all items if there are few, and keeps the order of equal ones', () => {
  expect(largest([1, 2], 5, identity)).toEqual([2, 1]);
  const items = ['b', 'a', 'c'];
  expect(largest(items, 2, () => 0)).toEqual(['b', 'a']);
});
