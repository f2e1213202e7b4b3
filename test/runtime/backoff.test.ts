import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backoff } from '../../src/runtime/backoff.ts';

test('the longest wait doubles up to the maximum, and begins anew after a reset', () => {
  const backoff = new Backoff({ baseMs: 5000, maxMs: 300_000, random: () => 0.5 });
  const waits = Array.from({ length: 8 }, () => backoff.nextMs());
  expect(waits).toEqual([2500, 5000, 10_000, 20_000, 40_000, 80_000, 150_000, 150_000]);
  expect(backoff.failures).toBe(8);
  backoff.reset();
  expect(backoff.nextMs()).toBe(2500);
});

test('a destination that asks for more gets it', () => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 1000, random: () => 0 });
  expect(backoff.nextMs(60_000)).toBe(60_000);
  expect(backoff.nextMs()).toBe(0);
});

test('every wait lies between nothing and the ceiling, however many failures', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat(5000),
      (random, failures) => {
        const backoff = new Backoff({ baseMs: 10, maxMs: 1000, random: () => random });
        for (let i = 0; i < failures; i++) backoff.nextMs();
        const wait = backoff.nextMs();
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(1000);
      },
    ),
    { numRuns: 50 },
  );
});
