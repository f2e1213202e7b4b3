import { expect, it } from 'vitest';
import { Schedule } from '../../src/monitoring/schedule.ts';
import { FakeClock } from '../support/fake-clock.ts';

it('returns the due tasks, and the time until the next one', async () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock);
  schedule.only(['a', 'b']);
  expect(schedule.isDue('a')).toBe(true);
  expect(schedule.isDue('c')).toBe(false);
  schedule.done('a', clock.monotonicMs(), 1000);
  schedule.done('b', clock.monotonicMs(), 300);
  expect(schedule.waitMs).toBe(300);
  await clock.advance(300);
  expect([schedule.isDue('a'), schedule.isDue('b'), schedule.waitMs]).toEqual([false, true, 0]);
  schedule.only(['a']);
  expect(schedule.waitMs).toBe(700);
  schedule.now('a');
  expect(schedule.waitMs).toBe(0);
});

it('does not catch up after a slow task, and lets it rest', async () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock);
  schedule.only(['a']);
  await clock.advance(5000);
  schedule.done('a', 0, 1000);
  expect(schedule.waitMs).toBe(5000);
  const startedMs = clock.monotonicMs();
  await clock.advance(600_000);
  schedule.done('a', startedMs, 1000);
  expect(schedule.waitMs).toBe(60_000);
});
