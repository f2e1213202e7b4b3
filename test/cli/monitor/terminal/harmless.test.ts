import fc from 'fast-check';
import { expect, test } from 'vitest';
import { harmless, jsonLine } from '../../../../src/cli/monitor/terminal/harmless.ts';

const OBEYED = /\p{Cc}|[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
/** Mostly what a terminal would obey. */
const hostile = fc.string({
  unit: fc
    .oneof(fc.integer({ min: 0, max: 0x9f }), fc.integer({ min: 0x2000, max: 0x2070 }))
    .map((code) => String.fromCodePoint(code)),
});

test.each([
  ['\u001b[31mred', '\\x1b[31mred'],
  ['a\r\nb\tc', 'a\\r\\nb c'],
  ['\u009b2J\u007f', '\\x9b2J\\x7f'],
  ['abc\u202edcba\u2066', 'abc\\u202edcba\\u2066'],
  ['naïve 日本 👩‍🚀', 'naïve 日本 👩‍🚀'],
])('%j is shown as %j', (text, shown) => {
  expect(harmless(text)).toBe(shown);
});

test('nothing that a terminal obeys is left', () => {
  fc.assert(fc.property(hostile, (text) => !OBEYED.test(harmless(text))));
});

test('JSON says the same, and nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(hostile, hostile)), (value) => {
      const line = jsonLine(value);
      expect(line.trimEnd()).not.toMatch(OBEYED);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
