import { expect, test } from 'vitest';
import { numberText } from '../../../../src/cli/monitor/terminal/number-text.ts';

test.each([
  [null, '-'],
  [0, '0'],
  [-0.5, '-0.5'],
  [1_234_567, '1234567'],
  [1_234_567.891, '1234567.89'],
  [12.34567, '12.346'],
  [0.000123456, '0.000123'],
  [99.9999, '100'],
  [1e300, '1e+300'],
])('%j: %s', (value, text) => {
  expect(numberText(value)).toBe(text);
});
