import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, expect, test, vi } from 'vitest';
import { collectBuffersLessOften, minorGcEvery } from '../../src/runtime/buffer-collection.ts';

vi.mock('node:v8', { spy: true });
vi.mock('node:vm', { spy: true });

beforeEach(() => void vi.clearAllMocks());

test('the heap may grow to three times its size before it is collected', () => {
  collectBuffersLessOften();
  expect(setFlagsFromString).toHaveBeenLastCalledWith('--heap-growing-percent=200');
});

test('the collection of young objects is prepared when enough bytes have passed, and only once', () => {
  const passed = minorGcEvery(1000);
  passed(999);
  expect(runInNewContext).not.toHaveBeenCalled();
  passed(1);
  passed(1000);
  expect(runInNewContext).toHaveBeenCalledTimes(1);
});
