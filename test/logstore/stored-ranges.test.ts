import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangesFromText, rangesToText } from '../../src/logstore/stored-ranges.ts';
import { addRange, NO_RANGES } from '../../src/records/ranges.ts';

describe('the ranges in the table of streams', () => {
  it('are parsed as they were written', () => {
    const range = fc
      .tuple(fc.nat(), fc.integer({ min: 1, max: 10_000 }))
      .map(([start, length]) => ({ start, end: start + length }));
    fc.assert(
      fc.property(fc.array(range), (added) => {
        const ranges = added.reduce(addRange, NO_RANGES);
        expect(rangesFromText(rangesToText(ranges))).toEqual(ranges);
      }),
    );
    expect(rangesToText([{ start: 0, end: 4096 }])).toBe('[[0,4096]]');
  });

  it.each([
    '',
    'null',
    '{}',
    '[1]',
    '[[0]]',
    '[[5,5]]',
    '[[9,4]]',
    '[[0,4],[4,8]]',
    '[[8,9],[0,4]]',
    '[[-1,4]]',
    '[[0,1.5]]',
  ])('are rejected if we never write them: %s', (text) => {
    expect(() => rangesFromText(text)).toThrow('invalid ranges in table');
  });
});
