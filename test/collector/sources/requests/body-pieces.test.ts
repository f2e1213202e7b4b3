import { expect, test } from 'vitest';
import { BodyPieces } from '../../../../src/collector/sources/requests/body-pieces.ts';

test('keeps few buffers for many small chunks', () => {
  const pieces = new BodyPieces();
  const all = Buffer.alloc(1_000_000, 'abcdefg');
  for (let at = 0; at < all.length; at++) pieces.add(all.subarray(at, at + 1));
  expect(pieces.count).toBeLessThan(20);
  expect(pieces.concat().equals(all)).toBe(true);
});

test('keeps the order of small and large chunks', () => {
  const pieces = new BodyPieces();
  const chunks = [1, 5000, 4095, 70_000, 3, 4096, 4000, 4000].map((length, index) =>
    Buffer.alloc(length, index + 1),
  );
  for (const chunk of chunks) pieces.add(chunk);
  expect(pieces.concat().equals(Buffer.concat(chunks))).toBe(true);
});

test('is empty without chunks', () => {
  expect(new BodyPieces().concat()).toHaveLength(0);
});
