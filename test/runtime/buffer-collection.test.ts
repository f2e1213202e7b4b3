import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, expect, test, vi } from 'vitest';
import {
  collectBuffersLessOften,
  collectEverything,
  minorGcEvery,
} from '../../src/runtime/buffer-collection.ts';

vi.mock('node:v8', { spy: true });
vi.mock('node:vm', { spy: true });

beforeEach(() => void vi.clearAllMocks());

test('a small heap may grow to three times its size, a large one by a third', () => {
  collectBuffersLessOften();
  expect(setFlagsFromString).toHaveBeenLastCalledWith('--heap-growing-percent=200');
  collectBuffersLessOften(70 * 1024 * 1024);
  expect(setFlagsFromString).toHaveBeenLastCalledWith('--heap-growing-percent=30');
  collectBuffersLessOften(1024);
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

test('a collection of everything frees old objects', async () => {
  const old = new WeakRef({ bytes: Buffer.alloc(10) });
  // A reference that was used in a turn is kept until its end.
  await new Promise((resolve) => setImmediate(resolve));
  collectEverything();
  expect(old.deref()).toBeUndefined();
});
