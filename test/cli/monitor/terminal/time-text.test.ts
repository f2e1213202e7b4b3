import { expect, test } from 'vitest';
import { durationText, preciseTimeText, timeText } from '../../../../src/cli/monitor/terminal/time-text.ts';

test.each([
  ['2026-01-31T10:00:00.000000Z', '2026-01-31T10:00:00Z', '2026-01-31T10:00:00.000Z'],
  ['2026-01-31T12:00:00.123456+02:00', '2026-01-31T10:00:00.123Z', '2026-01-31T10:00:00.123Z'],
  ['no\u001btime', 'no\\x1btime', 'no\\x1btime'],
])('%j', (time, text, precise) => {
  const utc = { timeZone: 'utc' } as const;
  expect([timeText(time, utc), preciseTimeText(time, utc)]).toEqual([text, precise]);
});

test.each([
  [0, '0s'],
  [45, '45s'],
  [60, '1m'],
  [90, '1m30s'],
  [3600, '1h'],
  [3605, '1h'],
  [86_400 * 3 + 7200 + 60, '3d2h'],
  [-5, '0s'],
])('%d seconds: %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

test('shows a time in the time zone of the machine, with its offset', () => {
  const before = process.env.TZ;
  process.env.TZ = 'America/St_Johns';
  try {
    const time = '2026-01-31T10:00:00.000000Z';
    expect(timeText(time, { timeZone: 'local' })).toBe('2026-01-31T06:30:00-03:30');
    expect(preciseTimeText(time, { timeZone: 'local' })).toBe('2026-01-31T06:30:00.000-03:30');
    expect(timeText(time, { timeZone: 'utc' })).toBe('2026-01-31T10:00:00Z');
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});
