import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPlainText, visibleParts, visibleText } from '../../../src/page/text/visible-text.ts';

it.each([
  ['nul \0', 'nul \\x00'],
  ['a\nb\tc\r', 'a\\nb\\tc\\r'],
  ['\u001b[31m', '\\e[31m'],
  ['\u202Egnp.exe\u202C', '\\u202egnp.exe\\u202c'],
  ['\u2066x\u2069', '\\u2066x\\u2069'],
  ['zero\u200Bwidth\uFEFF', 'zero\\u200bwidth\\ufeff'],
  ['\u2028\u2029', '\\u2028\\u2029'],
  ['tag \u{E0041}', 'tag \\u{e0041}'],
  ['half \uD83D', 'half \\ud83d'],
  ['\u0085\u009f', '\\x85\\x9f'],
])('shows the hidden characters of %j', (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

it.each(['plain', 'Grüße, мир, 世界, عربي', '👩‍👩‍👧 👍🏽', '<b>&amp;</b>'])('leaves %s as it is', (text) => {
  expect(visibleParts(text)).toEqual([{ text, isEscape: false }]);
});

it('marks escapes, so that they differ from the same characters in a log', () => {
  expect(visibleParts('a\0\\x00')).toEqual([
    { text: 'a', isEscape: false },
    { text: '\\x00', isEscape: true },
    { text: '\\x00', isEscape: false },
  ]);
});

it('keeps the characters that the caller names', () => {
  expect(visibleParts('a\nb\r', '\n').map(({ text }) => text)).toEqual(['a\nb', '\\r']);
});

it('leaves no control or format character in any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }), (text) => {
      expect(visibleText(text)).not.toMatch(
        /(?![\u200d\u0600-\u0605\u06dd\u070f\u08e2])[\p{Cc}\p{Cf}\p{Cs}]/u,
      );
    }),
    { numRuns: 50 },
  );
});

it('recognizes text without hidden characters', () => {
  expect(['plain мир', '', 'a\nb', '\u202E'].map(isPlainText)).toEqual([true, true, false, false]);
});
