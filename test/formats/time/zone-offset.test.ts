import { expect, test } from 'vitest';
import { isZone, zoneOffsetSeconds } from '../../../src/formats/time/zone-offset.ts';

const wall = (text: string) => Date.parse(`${text}Z`) / 1000;

test.each([
  ['UTC', '2026-07-01T12:00:00', 0],
  ['Europe/Paris', '2026-07-01T12:00:00', 7200],
  ['Europe/Paris', '2026-01-01T12:00:00', 3600],
  ['America/St_Johns', '2026-01-01T12:00:00', -12_600],
  ['+05:30', '2026-01-01T12:00:00', 19_800],
  ['-0330', '2026-01-01T12:00:00', -12_600],
  // The clocks skip 02:00 to 03:00 on 29 March 2026.
  ['Europe/Paris', '2026-03-29T01:59:59', 3600],
  ['Europe/Paris', '2026-03-29T02:30:00', 3600],
  ['Europe/Paris', '2026-03-29T03:00:00', 7200],
  // 02:00 to 03:00 is there twice on 25 October 2026.
  ['Europe/Paris', '2026-10-25T01:59:59', 7200],
  ['Europe/Paris', '2026-10-25T02:30:00', 7200],
  ['Europe/Paris', '2026-10-25T03:00:00', 3600],
  ['Australia/Lord_Howe', '2026-07-01T12:00:00', 37_800],
])('in %s at %s', (zone, time, offset) => {
  expect(zoneOffsetSeconds(zone, wall(time))).toBe(offset);
});

test('does not know other names', () => {
  for (const zone of ['', 'Not/AZone', '+25:00', '+1', '__proto__']) expect(isZone(zone)).toBe(false);
});
