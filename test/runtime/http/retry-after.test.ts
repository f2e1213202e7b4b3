import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/runtime/http/retry-after.ts';

const NOW = Date.parse('Tue, 14 Nov 2023 22:13:20 GMT');

test.each([
  ['7', 7000],
  [' 42 ', 42_000],
  ['Tue, 14 Nov 2023 22:14:20 GMT', 60_000],
  ['Tue, 14 Nov 2023 22:00:00 GMT', 0],
  ['999999999', 3_600_000],
  ['Tue, 14 Nov 2033 22:14:20 GMT', 3_600_000],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('reads Retry-After %j as %j ms', (value, ms) => {
  expect(retryAfterMs(value, NOW)).toBe(ms);
});
