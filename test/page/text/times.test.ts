import { expect, it } from 'vitest';
import {
  ageText,
  axisTime,
  fittingTime,
  parseMoment,
  timeText,
  zoneName,
} from '../../../src/page/text/times.ts';

const TIME = '2026-11-28T14:03:22.123456Z';
const NOW = Date.parse('2026-11-28T15:00:00Z');

it('writes times in UTC with the digits of the record', () => {
  expect(timeText(TIME, { isUtc: true })).toBe('2026-11-28 14:03:22.123');
  expect(timeText(TIME, { isUtc: true, digits: 6 })).toBe('2026-11-28 14:03:22.123456');
  expect(timeText('2026-11-28T14:03:22Z', { isUtc: true })).toBe('2026-11-28 14:03:22.000');
});

it('writes local times by the rules of the zone', () => {
  const date = new Date(TIME);
  const hours = String(date.getHours()).padStart(2, '0');
  expect(timeText(TIME, { isUtc: false })).toContain(` ${hours}:`);
  expect(zoneName(true)).toBe('UTC');
});

it('leaves a text that is no time as it is', () => {
  expect(timeText('never', { isUtc: true })).toBe('never');
  expect(ageText('never', NOW)).toBe('never');
});

it('leaves out the parts at the start that do not fit', () => {
  const shown = [23, 20, 12].map((characters) => fittingTime(TIME, { isUtc: true, characters }));
  expect(shown).toEqual(['2026-11-28 14:03:22.123', '11-28 14:03:22.123', '14:03:22.123']);
});

it('writes no more of a time than an axis needs', () => {
  const date = new Date(TIME);
  const spans = [60_000, 3_600_000, 3 * 86_400_000, 90 * 86_400_000];
  expect(spans.map((spanMs) => axisTime(date, { isUtc: true, spanMs }))).toEqual([
    '14:03:22',
    '14:03',
    '11-28 14:03',
    '2026-11-28',
  ]);
});

it('reads moments as the API does', () => {
  expect(parseMoment('15m', NOW)).toBe(NOW - 900_000);
  expect(parseMoment('7d', NOW)).toBe(NOW - 7 * 86_400_000);
  expect(parseMoment('2026-11-28T14:00:00Z', NOW)).toBe(NOW - 3_600_000);
  expect(['', '15', 'm', 'yesterday', '15y'].map((text) => parseMoment(text, NOW))).toEqual(
    Array(5).fill(undefined),
  );
});

it('writes ages', () => {
  const ages = [0, 30, 90, 7200, 200_000].map((seconds) =>
    ageText(new Date(NOW - seconds * 1000).toISOString(), NOW),
  );
  expect(ages).toEqual(['now', '30 s ago', '1 min ago', '2 h ago', '2 d ago']);
});
