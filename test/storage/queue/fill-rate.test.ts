import { expect, test } from 'vitest';
import { FillRate } from '../../../src/storage/queue/fill-rate.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('is the growth over the last five minutes', async () => {
  const clock = new FakeClock();
  const rate = new FillRate(clock);
  expect(rate.sample(1000), 'nothing to compare with').toBe(0);
  await clock.advance(10_000);
  expect(rate.sample(21_000)).toBe(2);
  for (let i = 0; i < 40; i++) {
    await clock.advance(10_000);
    rate.sample(21_000);
  }
  expect(rate.sample(21_000), 'old growth is ignored').toBe(0);
  await clock.advance(1000);
  expect(rate.sample(0)).toBeLessThan(0);
});
