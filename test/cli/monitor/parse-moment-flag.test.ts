import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseMomentFlag } from '../../../src/cli/monitor/parse-moment-flag.ts';

const now = new Date('2026-03-30T10:20:30.000Z');
let zone: string | undefined;

beforeEach(() => {
  zone = process.env.TZ;
  process.env.TZ = 'Europe/Berlin';
});

afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test.each([
  ['15m', '15m'],
  ['3d', '72h'],
  ['1w', '168h'],
  ['1d12h30m', '24h12h30m'],
  ['0', '0s'],
  ['now', '2026-03-30T10:20:30.000Z'],
  ['today', '2026-03-29T22:00:00.000Z'],
  // The clocks went forward on this day: it has 23 hours.
  ['yesterday', '2026-03-28T23:00:00.000Z'],
  ['2026-01-31', '2026-01-30T23:00:00.000Z'],
  ['2026-01-31 10:00', '2026-01-31T09:00:00.000Z'],
  ['2026-01-31T10:00:05.25', '2026-01-31T09:00:05.250Z'],
  ['2026-01-31T10:00:00.123456Z', '2026-01-31T10:00:00.123456Z'],
  ['1769853600', '2026-01-31T10:00:00.000Z'],
  ['1769853600123', '2026-01-31T10:00:00.123Z'],
])('reads %s in the local time zone', (text, moment) => {
  expect(parseMomentFlag(text, { now, timeZone: 'local' })).toBe(moment);
});

test.each([
  ['today', '2026-03-30T00:00:00.000Z'],
  ['yesterday', '2026-03-29T00:00:00.000Z'],
  ['2026-01-31 10:00', '2026-01-31T10:00:00.000Z'],
])('reads %s in UTC', (text, moment) => {
  expect(parseMomentFlag(text, { now, timeZone: 'utc' })).toBe(moment);
});

test.each(['', 'tomorrow', '2026-02-31', '2026-01-31 25:00', '3 days', '-1h', '12', 'd'])(
  'rejects %j',
  (text) => {
    expect(parseMomentFlag(text, { now, timeZone: 'local' })).toBeUndefined();
  },
);
