import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutToWidth, textWidth } from '../../../src/cli/output/text-width.ts';

describe('the width of a text', () => {
  test.each([
    ['', 0],
    ['plain', 5],
    ['naïve', 5],
    ['e\u0301', 1],
    ['日本', 4],
    ['한국', 4],
    ['🎉', 2],
    ['👩‍🚀', 2],
    ['…█', 2],
    ['\u200d', 0],
  ])('%j: %d', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe('a text cut to a width', () => {
  test.each([
    ['plain', 5, 'plain'],
    ['plain', 4, 'pla…'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['ab', 1, '…'],
    ['ab', 0, ''],
  ])('%j in %d columns: %j', (text, columns, cut) => {
    expect(cutToWidth(text, columns)).toBe(cut);
  });

  test('fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat({ max: 20 }), (text, columns) => {
        expect(textWidth(cutToWidth(text, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
