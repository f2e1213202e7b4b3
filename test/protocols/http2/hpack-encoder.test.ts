import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HpackDecoder } from '../../../src/protocols/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../src/protocols/http2/hpack-encoder.ts';

it('sets the size of the dynamic table to 0 in the first block, and uses the static table', () => {
  const encoder = new HpackEncoder();
  expect(encoder.encode([[':method', 'POST']]).toString('hex')).toBe('2083');
  expect(encoder.encode([[':status', '200']]).toString('hex')).toBe('88');
  expect(encoder.encode([[':path', '/x']]).toString('hex')).toBe('04022f78');
});

it('writes what the decoder reads', () => {
  const text = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
  const lists = fc.array(fc.array(fc.tuple(text, text), { maxLength: 20 }), { maxLength: 5 });
  fc.assert(
    fc.property(lists, (written) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(1024 * 1024);
      expect(written.map((list) => decoder.decode(encoder.encode(list)))).toEqual(written);
    }),
  );
});

it('writes long values', () => {
  const value = 'v'.repeat(70_000);
  const block = new HpackEncoder().encode([['x', value]]);
  expect(new HpackDecoder(100_000).decode(block)).toEqual([['x', value]]);
});
