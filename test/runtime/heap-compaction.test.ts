import { getHeapStatistics } from 'node:v8';
import { expect, onTestFinished, test, vi } from 'vitest';
import { collectAndCompact } from '../../src/runtime/buffer-collection.ts';
import { compactHeapWhenIdle } from '../../src/runtime/heap-compaction.ts';
import { FakeClock } from '../support/fake-clock.ts';

const MB = 1024 * 1024;
const CHECK_MS = 10_000;

function watched({ bytes = 100 * MB, compactedBytes = 60 * MB, utilization = 0 } = {}) {
  const clock = new FakeClock();
  const state = { bytes, utilization };
  const compact = vi.fn(() => {
    state.bytes = compactedBytes;
  });
  const cancel = compactHeapWhenIdle(clock, {
    bytes: () => state.bytes,
    utilization: () => state.utilization,
    compact,
  });
  onTestFinished(cancel);
  return { clock, state, compact, cancel };
}

test('compacts once after a burst, when the process is idle', async () => {
  const { clock, state, compact } = watched({ utilization: 0.5 });
  await clock.advance(3 * CHECK_MS);
  expect(compact).not.toHaveBeenCalled();
  state.utilization = 0;
  await clock.advance(5 * CHECK_MS);
  expect(compact).toHaveBeenCalledTimes(1);
});

test('compacts again after the heap has grown by three quarters', async () => {
  const { clock, state, compact } = watched();
  await clock.advance(CHECK_MS);
  state.bytes = 104 * MB;
  await clock.advance(5 * CHECK_MS);
  expect(compact).toHaveBeenCalledTimes(1);
  state.bytes = 106 * MB;
  await clock.advance(CHECK_MS);
  expect(compact).toHaveBeenCalledTimes(2);
});

test('does not compact a small heap', async () => {
  const { clock, compact } = watched({ bytes: 40 * MB });
  await clock.advance(10 * CHECK_MS);
  expect(compact).not.toHaveBeenCalled();
});

test('does nothing after it was cancelled', async () => {
  const { clock, compact, cancel } = watched();
  cancel();
  await clock.advance(10 * CHECK_MS);
  expect(compact).not.toHaveBeenCalled();
});

/** One object in twenty remains, between empty places. */
function scattered(): readonly { readonly text: string }[] {
  const objects = Array.from({ length: 400_000 }, (_, index) => ({ text: `object ${index}` }));
  return objects.filter((_, index) => index % 20 === 0);
}

test('a compaction makes the heap smaller, and keeps the objects that are used', async () => {
  const objects = scattered();
  const before = getHeapStatistics().total_physical_size;
  collectAndCompact();
  // V8 returns pages in the background.
  await expect.poll(() => getHeapStatistics().total_physical_size).toBeLessThan(before);
  expect(objects.at(-1)).toEqual({ text: 'object 399980' });
});
