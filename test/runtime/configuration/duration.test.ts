import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DurationError,
  durationToMs,
  formatDuration,
  parseDuration,
} from '../../../src/runtime/configuration/duration.ts';

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
const MAX = (1n << 63n) - 1n;

/** The vectors of Go's own time_test.go, and the traps around them. */
const VALID: readonly (readonly [string, bigint])[] = [
  ['0', 0n],
  ['-0', 0n],
  ['+0', 0n],
  ['0s', 0n],
  ['5s', 5n * SECOND],
  ['30s', 30n * SECOND],
  ['1478s', 1478n * SECOND],
  ['-5s', -5n * SECOND],
  ['+5s', 5n * SECOND],
  ['5.0s', 5n * SECOND],
  ['5.6s', 5_600_000_000n],
  ['5.s', 5n * SECOND],
  ['.5s', 500_000_000n],
  ['1.0s', SECOND],
  ['1.00s', SECOND],
  ['1.004s', 1_004_000_000n],
  ['1.0040s', 1_004_000_000n],
  ['100.00100s', 100_001_000_000n],
  ['10ns', 10n],
  ['11us', 11_000n],
  ['12\u00b5s', 12_000n],
  ['12\u03bcs', 12_000n],
  ['13ms', 13_000_000n],
  ['14s', 14n * SECOND],
  ['15m', 15n * MINUTE],
  ['16h', 16n * HOUR],
  ['3h30m', 3n * HOUR + 30n * MINUTE],
  ['10.5s4m', 4n * MINUTE + 10_500_000_000n],
  ['-2m3.4s', -(2n * MINUTE + 3_400_000_000n)],
  ['1h2m3s4ms5us6ns', HOUR + 2n * MINUTE + 3n * SECOND + 4_005_006n],
  ['39h9m14.425s', 39n * HOUR + 9n * MINUTE + 14_425_000_000n],
  ['1s1m', 61n * SECOND],
  ['52763797000ns', 52_763_797_000n],
  ['0.3333333333333333333h', 20n * MINUTE],
  ['9007199254740993ns', 9_007_199_254_740_993n],
  ['9223372036854775807ns', MAX],
  ['9223372036854775.807us', MAX],
  ['9223372036s854ms775us807ns', MAX],
  ['2562047h47m16.854775807s', MAX],
  ['-9223372036854775808ns', -MAX - 1n],
  ['-9223372036854775.808us', -MAX - 1n],
  ['-9223372036s854ms775us808ns', -MAX - 1n],
  ['-2562047h47m16.854775808s', -MAX - 1n],
  ['0.100000000000000000000h', 6n * MINUTE],
  ['0.830103483285477580700h', 49n * MINUTE + 48n * SECOND + 372_539_827n],
  ['0.0000000001s', 0n],
  ['-1.5h', -90n * MINUTE],
  ['00015s', 15n * SECOND],
];

const REJECTED: readonly (readonly [string, DurationError['kind']])[] = [
  ['', 'invalid duration'],
  ['-', 'invalid duration'],
  ['+', 'invalid duration'],
  ['s', 'invalid duration'],
  ['.', 'invalid duration'],
  ['-.', 'invalid duration'],
  ['.s', 'invalid duration'],
  ['+.s', 'invalid duration'],
  ['--1s', 'invalid duration'],
  [' 1s', 'invalid duration'],
  ['\u0085\u0085', 'invalid duration'],
  ['3', 'missing unit'],
  ['1.2.3s', 'missing unit'],
  ['00', 'missing unit'],
  ['1d', 'unknown unit'],
  ['1h 30m', 'unknown unit'],
  ['1s ', 'unknown unit'],
  ['1S', 'unknown unit'],
  ['1,5s', 'unknown unit'],
  ['1e3s', 'unknown unit'],
  ['1_000ms', 'unknown unit'],
  ['1h-1m', 'unknown unit'],
  ['1\n s', 'unknown unit'],
  ['\u0661s', 'invalid duration'],
  ['9223372036854775810ns', 'invalid duration'],
  ['9223372036854775808ns', 'invalid duration'],
  ['-9223372036854775809ns', 'invalid duration'],
  ['9223372036854776us', 'invalid duration'],
  ['3000000h', 'invalid duration'],
  ['9223372036854775.808us', 'invalid duration'],
  ['9223372036854ms775us808ns', 'invalid duration'],
  ['2562047h47m16.854775808s', 'invalid duration'],
];

describe('parseDuration', () => {
  test.each(VALID)('reads %j', (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds);
  });

  test.each(REJECTED)('rejects %j: %s', (text, kind) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ name: 'DurationError', kind }));
  });

  test('quotes the unit it does not know', () => {
    expect(() => parseDuration('1h 30m')).toThrow('unknown unit "h " in duration "1h 30m"');
  });

  test('is quick with absurd lengths', () => {
    expect(() => parseDuration(`${'9'.repeat(100_000)}s`)).toThrow(DurationError);
    expect(parseDuration(`0.${'3'.repeat(100_000)}s`)).toBe(333_333_333n);
    expect(parseDuration(`${'0'.repeat(100_000)}1s`)).toBe(SECOND);
  });
});

describe('formatDuration', () => {
  test.each([
    [0n, '0s'],
    [1n, '1ns'],
    [1_100n, '1.1\u00b5s'],
    [2_200_000n, '2.2ms'],
    [3_300_000_000n, '3.3s'],
    [4n * MINUTE + 5n * SECOND, '4m5s'],
    [4n * MINUTE + 5_001_000_000n, '4m5.001s'],
    [5n * HOUR + 6n * MINUTE + 7_001_000_000n, '5h6m7.001s'],
    [8n * MINUTE + 1n, '8m0.000000001s'],
    [MAX, '2562047h47m16.854775807s'],
    [-MAX - 1n, '-2562047h47m16.854775808s'],
  ])('writes %d as Go does: %s', (nanoseconds, text) => {
    expect(formatDuration(nanoseconds)).toBe(text);
  });

  test('is read back to the same value', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -MAX - 1n, max: MAX }), (nanoseconds) => {
        expect(parseDuration(formatDuration(nanoseconds))).toBe(nanoseconds);
      }),
    );
  });
});

test('components add up in any order', () => {
  const component = fc
    .tuple(fc.nat(999), fc.constantFrom('ns', 'us', 'ms', 's', 'm', 'h'))
    .map(([count, unit]) => `${count}${unit}`);
  fc.assert(
    fc.property(fc.array(component, { minLength: 1, maxLength: 8 }), (parts) => {
      const sum = parts.reduce((total, part) => total + parseDuration(part), 0n);
      expect(parseDuration(parts.join(''))).toBe(sum);
      expect(parseDuration(`-${parts.toReversed().join('')}`)).toBe(-sum);
    }),
  );
});

test('milliseconds keep their fraction', () => {
  expect(durationToMs(1_500_000n)).toBe(1.5);
});
