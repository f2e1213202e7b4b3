import { expect, it } from 'vitest';
import { Rate } from '../../../src/page/tail/rate.ts';

it('is the average of the last five seconds', () => {
  const rate = new Rate(0);
  for (let second = 0; second < 10; second++) rate.add(second < 5 ? 1000 : 20, second * 1000);
  expect(rate.perSecond(10_000)).toBe(20);
  expect(rate.perSecond(13_000)).toBe(8);
  expect(rate.perSecond(60_000)).toBe(0);
});

it('does not divide the first second by five', () => {
  const rate = new Rate(1000);
  rate.add(30, 1500);
  expect(rate.perSecond(2000)).toBe(30);
});
