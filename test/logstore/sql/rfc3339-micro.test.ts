import fc from 'fast-check';
import { expect, test } from 'vitest';
import { momentToUnixMicro } from '../../../src/logstore/logs/log-requests.ts';
import { rfc3339Micro } from '../../../src/logstore/sql/rfc3339-micro.ts';

test.each([
  [-1, '1969-12-31T23:59:59.999999Z'],
  [0, '1970-01-01T00:00:00.000000Z'],
  [1, '1970-01-01T00:00:00.000001Z'],
  [999_999, '1970-01-01T00:00:00.999999Z'],
  [1_769_853_600_120_003, '2026-01-31T10:00:00.120003Z'],
])('%d microseconds are %s', (unixMicro, text) => {
  expect(rfc3339Micro(unixMicro)).toBe(text);
});

test('parses every microsecond back', () => {
  const times = fc.integer({ min: Date.UTC(1900, 0, 1) * 1000, max: Date.UTC(2200, 0, 1) * 1000 });
  fc.assert(
    fc.property(times, (unixMicro) => {
      expect(momentToUnixMicro(rfc3339Micro(unixMicro), 0)).toBe(unixMicro);
    }),
  );
});
