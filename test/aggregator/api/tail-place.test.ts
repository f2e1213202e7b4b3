import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTailPlace, parseTailPlace } from '../../../src/aggregator/api/tail-place.ts';

const writers = (count: number) =>
  new Map(Array.from({ length: count }, () => [crypto.randomUUID() as string, 1]));

test('a position survives encoding and decoding', () => {
  const place = fc.dictionary(fc.uuid(), fc.nat(), { maxKeys: 20 });
  fc.assert(
    fc.property(place, (flushes) => {
      const map = new Map(Object.entries(flushes));
      expect(parseTailPlace(formatTailPlace(map) ?? '')).toEqual(map);
    }),
  );
});

test('a position fits into a line of an event and into a header', () => {
  expect(formatTailPlace(writers(3))).toMatch(/^[0-9a-f.~-]+$/);
  expect(formatTailPlace(new Map())).not.toBe('');
  expect(formatTailPlace(writers(150))?.length).toBeLessThan(8 * 1024);
  expect(formatTailPlace(writers(500))).toBeUndefined();
});

test('other texts are not accepted as a position', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(text === '-' ? undefined : parseTailPlace(text)).toBeUndefined();
    }),
  );
});
