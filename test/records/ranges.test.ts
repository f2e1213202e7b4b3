import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Range } from '../../src/records/position.ts';
import {
  addRange,
  contiguousEnd,
  lastEnd,
  NO_RANGES,
  outside,
  type Ranges,
  totalBytes,
} from '../../src/records/ranges.ts';

/** The model: a set of positions. */
const SPACE = 60;

const range = fc
  .tuple(fc.integer({ min: 0, max: SPACE }), fc.integer({ min: 0, max: 12 }))
  .map(([start, length]): Range => ({ start, end: start + length }));

const nonEmptyRange = range.filter(({ start, end }) => end > start);

function united(parts: readonly Range[]): Ranges {
  return parts.reduce(addRange, NO_RANGES);
}

function positions(parts: readonly Range[]): Set<number> {
  const set = new Set<number>();
  for (const { start, end } of parts) for (let p = start; p < end; p++) set.add(p);
  return set;
}

describe('addRange', () => {
  test('is the union, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(range), (parts) => {
        expect(positions(united(parts))).toEqual(positions(parts));
        expect(united(parts.toReversed())).toEqual(united(parts));
      }),
    );
  });

  test('keeps ranges ascending, disjoint, never touching, none empty', () => {
    fc.assert(
      fc.property(fc.array(range), (parts) => {
        const ranges = united(parts);
        ranges.forEach(({ start, end }, i) => {
          expect(end).toBeGreaterThan(start);
          expect(start).toBeGreaterThan(ranges[i - 1]?.end ?? -1);
        });
      }),
    );
  });

  test('adding again changes nothing, and the given ranges are left alone', () => {
    fc.assert(
      fc.property(fc.array(range), nonEmptyRange, (parts, added) => {
        const before = united(parts);
        const copy = structuredClone(before);
        const once = addRange(before, added);
        expect(addRange(once, added)).toEqual(once);
        expect(before).toEqual(copy);
      }),
    );
  });

  test.each([
    ['touching below', [{ start: 5, end: 9 }], { start: 0, end: 5 }, [{ start: 0, end: 9 }]],
    [
      'bridging',
      [
        { start: 0, end: 2 },
        { start: 4, end: 6 },
      ],
      { start: 2, end: 4 },
      [{ start: 0, end: 6 }],
    ],
    ['empty', [{ start: 0, end: 2 }], { start: 5, end: 5 }, [{ start: 0, end: 2 }]],
  ])('%s', (_, before, added, after) => {
    expect(addRange(before, added)).toEqual(after);
  });
});

describe('outside', () => {
  test('returns the parts of a range that are in none of the others, in order', () => {
    fc.assert(
      fc.property(fc.array(range), nonEmptyRange, (parts, wanted) => {
        const ranges = united(parts);
        const rest = outside(wanted, ranges);
        const expected = [...positions([wanted])].filter((p) => !positions(ranges).has(p));
        expect([...positions(rest)]).toEqual(expected);
        expect(rest).toEqual(united(rest));
      }),
    );
  });

  test('together with the ranges it is the union', () => {
    fc.assert(
      fc.property(fc.array(range), nonEmptyRange, (parts, wanted) => {
        const ranges = united(parts);
        const rest = outside(wanted, ranges);
        expect(rest.reduce(addRange, ranges)).toEqual(addRange(ranges, wanted));
        expect(totalBytes(ranges) + totalBytes(rest)).toBe(totalBytes(addRange(ranges, wanted)));
      }),
    );
  });
});

test('contiguousEnd returns the first missing byte', () => {
  fc.assert(
    fc.property(fc.array(range), fc.integer({ min: 0, max: SPACE }), (parts, from) => {
      const taken = positions(parts);
      let end = from;
      while (taken.has(end)) end++;
      expect(contiguousEnd(from, united(parts))).toBe(end);
    }),
  );
});

test('lastEnd and totalBytes', () => {
  fc.assert(
    fc.property(fc.array(nonEmptyRange), (parts) => {
      expect(lastEnd(united(parts))).toBe(Math.max(0, ...parts.map(({ end }) => end)));
      expect(totalBytes(united(parts))).toBe(positions(parts).size);
    }),
  );
});
