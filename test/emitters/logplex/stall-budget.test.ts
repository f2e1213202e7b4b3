import { expect, it } from 'vitest';
import { StallBudget } from '../../../src/emitters/logplex/stall-budget.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function stallBudget({ limitMs = 60_000, hasOthers = true } = {}) {
  const clock = new FakeClock();
  return { clock, budget: new StallBudget({ limitMs, hasOthers: () => hasOthers, clock }) };
}

it('lasts for its limit over several attempts', async () => {
  const { clock, budget: one } = stallBudget();
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 10_000) {
    one.begin();
    expect(one.failed()).toBe(false);
    await clock.advance(10_000);
  }
  one.begin();
  expect(one.isUsedUp).toBe(true);
  expect(one.failed()).toBe(true);
  expect(one.isSuspended).toBe(true);
});

it('allows an attempt every thirty seconds once used up, until one succeeds', async () => {
  const { clock, budget: one } = stallBudget({ limitMs: 1_000 });
  one.begin();
  await clock.advance(1_000);
  expect(one.failed()).toBe(true);
  expect(one.isResting).toBe(true);
  await clock.advance(29_999);
  expect(one.isResting).toBe(true);
  await clock.advance(1);
  expect(one.isResting).toBe(false);
  one.begin();
  // It is already suspended.
  expect(one.failed()).toBe(false);
  expect(one.isResting).toBe(true);
  await clock.advance(30_000);
  one.begin();
  expect(one.succeeded()).toBe(true);
  expect(one.isSuspended).toBe(false);
  one.begin();
  expect(one.succeeded()).toBe(false);
});

it('is not used up by deliveries of normal duration', async () => {
  const { clock, budget: one } = stallBudget();
  for (let i = 0; i < 1_000; i++) {
    one.begin();
    await clock.advance(900);
    expect(one.isUsedUp).toBe(false);
    one.succeeded();
  }
});

it('is used up by a destination that is always slow, without any failure', async () => {
  const { clock, budget: one } = stallBudget();
  let attempts = 0;
  while (attempts < 100) {
    one.begin();
    await clock.advance(9_000);
    if (one.isUsedUp) break;
    one.succeeded();
    attempts++;
  }
  expect(attempts).toBeLessThan(10);
  expect(one.failed()).toBe(true);
});

it('refills by a tenth of the time that passes', async () => {
  const { clock, budget: one } = stallBudget({ limitMs: 10_000 });
  one.begin();
  await clock.advance(9_000);
  one.succeeded();
  await clock.advance(20_000);
  one.begin();
  await clock.advance(3_900);
  expect(one.isUsedUp).toBe(false);
  await clock.advance(200);
  expect(one.isUsedUp).toBe(true);
});

it('is unlimited for a single destination', async () => {
  const { clock, budget: one } = stallBudget({ limitMs: 1, hasOthers: false });
  one.begin();
  await clock.advance(1_000_000);
  expect(one.isUsedUp).toBe(false);
  expect(one.failed()).toBe(false);
  expect(one.isSuspended).toBe(false);
});
