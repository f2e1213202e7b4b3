import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatRfc3339, parseRfc3339 } from '../../src/formats/rfc3339.ts';

const nanos = fc.bigInt({ min: -9_000_000_000_000_000_000n, max: 9_000_000_000_000_000_000n });

test('parses formatted times exactly, to the nanosecond', () => {
  fc.assert(
    fc.property(nanos, (unixNano) => {
      expect(parseRfc3339(formatRfc3339(unixNano))).toBe(unixNano);
    }),
  );
});

test('agrees with Date', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1700-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
      (date) => {
        expect(parseRfc3339(date.toISOString())).toBe(BigInt(date.getTime()) * 1_000_000n);
        expect(formatRfc3339(BigInt(date.getTime()) * 1_000_000n)).toBe(
          date.toISOString().replace('Z', '000000Z'),
        );
      },
    ),
  );
});

test('sorts texts like times', () => {
  const present = fc.bigInt({ min: 0n, max: 9_000_000_000_000_000_000n });
  fc.assert(
    fc.property(present, present, (a, b) => {
      expect(formatRfc3339(a) < formatRfc3339(b)).toBe(a < b);
    }),
  );
});

test('does not throw for moments outside of the range of Date', () => {
  expect(formatRfc3339(2n ** 70n)).toMatch(/Z$/);
  expect(formatRfc3339(-(2n ** 200n))).toMatch(/Z$/);
});

test.each([
  ['2000-10-10T13:55:36-07:00', '2000-10-10T20:55:36.000000000Z'],
  ['2000-10-10t13:55:36.1234567891z', '2000-10-10T13:55:36.123456789Z'],
  ['2000-10-10 13:55:36,5 +0130', '2000-10-10T12:25:36.500000000Z'],
  ['2000-10-10T13:55:36+01', '2000-10-10T12:55:36.000000000Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000000000Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000000000Z'],
])('%s', (text, expected) => {
  expect(formatRfc3339(parseRfc3339(text) ?? 0n)).toBe(expected);
});

test.each([
  '',
  '2000-10-10',
  '2000-10-10T13:55:36',
  '2000-10-10T13:55Z',
  '1900-02-29T00:00:00Z',
  '2001-04-31T00:00:00Z',
  '2001-13-01T00:00:00Z',
  '2001-00-01T00:00:00Z',
  '2001-01-00T00:00:00Z',
  '2001-01-01T24:00:00Z',
  '2001-01-01T00:60:00Z',
  '2001-01-01T00:00:61Z',
  '2001-01-01T00:00:00+24:00',
  '2001-01-01T00:00:00+00:60',
  '9999-01-01T00:00:00Z',
  ' 2001-01-01T00:00:00Z',
])('is not a moment: %s', (text) => {
  expect(parseRfc3339(text)).toBeUndefined();
});
