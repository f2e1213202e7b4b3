import { expect, test } from 'vitest';
import { untilQuiet } from '../../../src/runtime/async/until-quiet.ts';

test.each([2, 3])('resolves after %i turns without a change', async (quietTurns) => {
  const counts = [1, 2, 3];
  let calls = 0;
  await untilQuiet(() => counts[Math.min(calls++, counts.length - 1)] ?? 0, quietTurns);
  expect(calls).toBe(counts.length + quietTurns);
});

test('resolves although the count changes in every turn', async () => {
  let count = 0;
  await untilQuiet(() => count++);
  expect(count).toBe(50);
});
