import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a wait of more than 24 days is not over at once', async () => {
  const fired = vi.fn();
  systemClock.after(100 * DAY_MS, fired);
  await vi.advanceTimersByTimeAsync(99 * DAY_MS);
  expect(fired).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(DAY_MS);
  expect(fired).toHaveBeenCalledOnce();
});

test('a long wait can be called off in the middle', async () => {
  const fired = vi.fn();
  const cancel = systemClock.after(100 * DAY_MS, fired);
  await vi.advanceTimersByTimeAsync(50 * DAY_MS);
  cancel();
  await vi.advanceTimersByTimeAsync(100 * DAY_MS);
  expect(fired).not.toHaveBeenCalled();
});

test('sleep ends with its signal', async () => {
  const abort = new AbortController();
  const slept = systemClock.sleep(1000, abort.signal);
  abort.abort(new Error('enough'));
  await expect(slept).rejects.toThrow('enough');
  await expect(systemClock.sleep(1000, abort.signal)).rejects.toThrow('enough');
  expect(vi.getTimerCount()).toBe(0);
});
