import { expect, test } from 'vitest';
import { repeat } from '../../../src/runtime/async/repeat.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('calls the work once in each interval, until it is cancelled', async () => {
  const clock = new FakeClock();
  let calls = 0;
  const cancel = repeat(clock, 100, () => void calls++);
  await clock.advance(99);
  expect(calls).toBe(0);
  await clock.advance(201);
  expect(calls).toBe(3);
  cancel();
  await clock.advance(1000);
  expect(calls).toBe(3);
});

test('counts the interval from the end of asynchronous work', async () => {
  const clock = new FakeClock();
  const ends: (() => void)[] = [];
  repeat(clock, 100, () => new Promise<void>((resolve) => void ends.push(resolve)));
  await clock.advance(1000);
  expect(ends.length).toBe(1);
  ends[0]?.();
  await clock.advance(100);
  expect(ends.length).toBe(2);
});

test('ends when the work cancels it', async () => {
  const clock = new FakeClock();
  let calls = 0;
  const cancel = repeat(clock, 100, () => {
    calls++;
    cancel();
  });
  await clock.advance(1000);
  expect(calls).toBe(1);
});
