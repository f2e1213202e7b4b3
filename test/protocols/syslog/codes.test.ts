import { expect, it } from 'vitest';
import { facilityCodeOf, severityCodeOf } from '../../../src/protocols/syslog/codes.ts';

it.each([
  ['cron', 9],
  ['clock', 15],
  ['LOCAL7', 23],
  ['23', 23],
  [0, 0],
  ['24', undefined],
  ['toString', undefined],
  ['', undefined],
])('reads the facility %j', (given, code) => {
  expect(facilityCodeOf(given)).toBe(code);
});

it.each([
  ['err', 3],
  ['Error', 3],
  ['warning', 4],
  ['emergency', 0],
  [7, 7],
  [8, undefined],
  [-1, undefined],
  ['loud', undefined],
])('reads the severity %j', (given, code) => {
  expect(severityCodeOf(given)).toBe(code);
});
