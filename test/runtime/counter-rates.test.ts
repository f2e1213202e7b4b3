import { expect, test } from 'vitest';
import { CounterRates } from '../../src/runtime/counter-rates.ts';
import { FakeClock } from '../support/fake-clock.ts';

const counters = (...values: number[]) => new Map([['a', values]]);

test('knows no rate at the first request, and the change per second at the next ones', async () => {
  const clock = new FakeClock();
  const rates = new CounterRates(clock);
  expect(rates.measure(counters(100, 50))('a')).toBeUndefined();
  await clock.advance(2000);
  expect(rates.measure(counters(300, 40))('a')).toEqual([100, -5]);
  expect(rates.measure(counters(300, 40))('unknown')).toBeUndefined();
});

test('two clients that request in turn do not shorten the time of each other', async () => {
  const clock = new FakeClock();
  const rates = new CounterRates(clock);
  rates.measure(counters(0));
  await clock.advance(1000);
  rates.measure(counters(100));
  await clock.advance(10);
  expect(rates.measure(counters(101))('a')?.[0]).toBeCloseTo(100);
});

test('forgets the readings a minute after the last request', async () => {
  const clock = new FakeClock();
  const rates = new CounterRates(clock);
  rates.measure(counters(0));
  expect(clock.waiting).toBe(1);
  await clock.advance(60_000);
  expect(clock.waiting).toBe(0);
  expect(rates.measure(counters(1))('a')).toBeUndefined();
});
