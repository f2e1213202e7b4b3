import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonLine, sanitizeForTerminal } from '../../../../src/cli/monitor/terminal/sanitize-for-terminal.ts';

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
  expect(sanitizeForTerminal(text)).toBe(shown);
});

test('leaves no control characters', () => {
  fc.assert(fc.property(hostile, (text) => !OBEYED.test(sanitizeForTerminal(text))));
});

test('JSON has the same content and no control characters', () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(hostile, hostile)), (value) => {
      const line = jsonLine(value);
      expect(line.trimEnd()).not.toMatch(OBEYED);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
