import { expect, it } from 'vitest';
import { byteSize, duration, percentage, shortNumber, wholeNumber } from '../../../src/page/text/numbers.ts';

it('shortens numbers to three digits', () => {
  expect([0, 1.5, 999, 9999, 12_345, 999_950, 1_234_567, 5e12].map(shortNumber)).toEqual([
    '0',
    '1.5',
    '999',
    '9,999',
    '12.3k',
    '1M',
    '1.23M',
    '5T',
  ]);
  expect(wholeNumber(1_234_567)).toBe('1,234,567');
});

it('writes sizes with binary units', () => {
  expect([0, 1023, 1024, 1_572_864, 5 * 1024 ** 4].map(byteSize)).toEqual([
    '0 B',
    '1,023 B',
    '1 KiB',
    '1.5 MiB',
    '5 TiB',
  ]);
});

it('does not write a small share as 0', () => {
  expect([0, 0.0001, 0.004, 0.25, 1].map(percentage)).toEqual(['0 %', '< 0.1 %', '0.4 %', '25 %', '100 %']);
});

it('writes durations with their two largest units', () => {
  expect([0.02, 1.55, 59, 60, 3661, 93_784].map(duration)).toEqual([
    '20 ms',
    '1.6 s',
    '59 s',
    '1 min',
    '1 h 1 min',
    '1 d 2 h',
  ]);
});
