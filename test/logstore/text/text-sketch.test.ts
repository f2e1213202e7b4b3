import { expect, test } from 'vitest';
import { SKETCH_PAGES, sketchBits, TextSketch } from '../../../src/logstore/text/text-sketch.ts';

function sketchOf(...lowerCaseTexts: readonly string[]): TextSketch {
  const sketch = new TextSketch();
  for (const text of lowerCaseTexts) {
    const bytes = Buffer.from(`padding${text}padding`);
    sketch.add(bytes, 'padding'.length, bytes.length - 'padding'.length);
  }
  return sketch;
}

function mayContain(sketch: TextSketch, text: string): boolean {
  return sketchBits(text).every(({ page, bit }) => {
    const byte = sketch.page(page)[bit >> 3] ?? 0;
    return (byte & (0x80 >> (bit & 7))) !== 0;
  });
}

test('has the bits of every part of its texts, in any case', () => {
  const sketch = sketchOf('get /orders?request=5001234 http/1.1', 'größe 12345');
  for (const text of ['request=5001234', 'GET /orders', '0012', 'HTTP/1.1', 'GRÖẞE 12345', 'Größe 12345', ''])
    expect(mayContain(sketch, text), text).toBe(true);
});

test('lacks a bit of a text that none of its texts has', () => {
  const sketch = sketchOf('get /orders?request=5001234');
  for (const text of ['request=5001235', 'ders?requests', 'padding'])
    expect(mayContain(sketch, text), text).toBe(false);
});

test('has no bits for a text without five ASCII characters in a row', () => {
  for (const text of ['', 'abcd', 'äöüßéèê', 'abcdäefgh']) expect(sketchBits(text), text).toEqual([]);
});

test('limits the number of bits of a long text', () => {
  const text = Array.from({ length: 1000 }, (_, index) => index).join('');
  expect(sketchBits(text)).toHaveLength(48);
});

test('keeps the place of each bit: stored sketches depend on it', () => {
  expect(sketchBits('hello').map(({ page, bit }) => [page, bit])).toMatchInlineSnapshot(`
    [
      [
        27,
        4749,
      ],
    ]
  `);
  expect(sketchBits('HELLO')).toEqual(sketchBits('hello'));
});

test('reports the part of its bits that is set, and is empty after `clear`', () => {
  const sketch = sketchOf('abcdefgh');
  expect(sketch.density).toBe(4 / 2 ** 20);
  sketch.clear();
  expect(sketch.density).toBe(0);
  for (let page = 0; page < SKETCH_PAGES; page++)
    expect(sketch.page(page).every((byte) => byte === 0)).toBe(true);
});
