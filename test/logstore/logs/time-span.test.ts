import { expect, test } from 'vitest';
import { closedTimeSpan, timeSpan } from '../../../src/logstore/logs/time-span.ts';

const NOW = Date.UTC(2026, 0, 31, 12) * 1000;
const HOUR = 3_600_000_000;

test('a span without a limit on one side is open there', () => {
  expect(timeSpan({}, NOW)).toEqual({ fromUnixMicro: undefined, toUnixMicro: undefined });
  expect(timeSpan({ from: '2h', to: '2026-01-31T11:30:00.000001Z' }, NOW)).toEqual({
    fromUnixMicro: NOW - 2 * HOUR,
    toUnixMicro: NOW - HOUR / 2 + 1,
  });
});

test('a closed span ends now and begins one day before its end by default', () => {
  const day = 24 * HOUR;
  expect(closedTimeSpan({}, NOW)).toEqual({ fromUnixMicro: NOW - day, toUnixMicro: NOW });
  expect(closedTimeSpan({ to: '3h' }, NOW)).toEqual({
    fromUnixMicro: NOW - 3 * HOUR - day,
    toUnixMicro: NOW - 3 * HOUR,
  });
  expect(closedTimeSpan({ from: '3h' }, NOW)).toEqual({ fromUnixMicro: NOW - 3 * HOUR, toUnixMicro: NOW });
  expect(closedTimeSpan({ to: '1970-01-01T01:00:00Z' }, NOW)).toEqual({
    fromUnixMicro: 0,
    toUnixMicro: HOUR,
  });
});

test('no span exceeds the years of possible records', () => {
  const years = { fromUnixMicro: 0, toUnixMicro: Date.UTC(2200, 0, 1) * 1000 };
  expect(timeSpan({ from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' }, NOW)).toEqual(years);
  expect(timeSpan({ from: '999999h' }, NOW).fromUnixMicro).toBe(0);
});
