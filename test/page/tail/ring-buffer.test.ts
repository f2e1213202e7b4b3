import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RingBuffer } from '../../../src/page/tail/ring-buffer.ts';

const ring = (maxItems: number, maxBytes = Number.POSITIVE_INFINITY) =>
  new RingBuffer<number>({ maxItems, maxBytes, sizeOf: (item) => item });

it('keeps the newest items', () => {
  const buffer = ring(3);
  for (let item = 1; item <= 10; item++) buffer.push(item);
  expect(buffer.toArray()).toEqual([8, 9, 10]);
  expect([buffer.length, buffer.discarded, buffer.at(0), buffer.at(3), buffer.at(-1)]).toEqual([
    3,
    7,
    8,
    undefined,
    undefined,
  ]);
});

it('keeps no more than its size, but always the newest item', () => {
  const buffer = ring(100, 10);
  for (const item of [4, 4, 4, 50]) buffer.push(item);
  expect(buffer.toArray()).toEqual([50]);
  buffer.push(1);
  expect(buffer.toArray()).toEqual([1]);
});

it('starts again after it is cleared', () => {
  const buffer = ring(2);
  for (const item of [1, 2, 3]) buffer.push(item);
  buffer.clear();
  buffer.push(4);
  expect([buffer.toArray(), buffer.discarded]).toEqual([[4], 0]);
});

it('keeps the same items as a list that is cut, for any numbers', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 200 }), fc.integer({ min: 1, max: 9 }), (items, max) => {
      const buffer = ring(max);
      for (const item of items) buffer.push(item);
      expect(buffer.toArray()).toEqual(items.slice(-max));
      expect(buffer.discarded + buffer.length).toBe(items.length);
    }),
  );
});
