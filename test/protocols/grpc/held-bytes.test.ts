import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeldBytes } from '../../../src/protocols/grpc/held-bytes.ts';

it('returns the bytes in their order, however they are appended and discarded', () => {
  const part = fc.uint8Array({ maxLength: 9_000 });
  fc.assert(
    fc.property(fc.array(fc.tuple(part, fc.nat(9_000)), { maxLength: 30 }), (steps) => {
      const held = new HeldBytes();
      let expected = Buffer.alloc(0);
      for (const [bytes, discard] of steps) {
        held.append(bytes);
        expected = Buffer.concat([expected, bytes]);
        const { first } = held;
        expect(first.equals(expected.subarray(0, first.length))).toBe(true);
        expect(first.length > 0).toBe(expected.length > 0);
        const count = Math.min(discard, first.length);
        held.discard(count);
        expected = expected.subarray(count);
        expect(held.length).toBe(expected.length);
      }
    }),
  );
});

it('uses few buffers for many small parts', () => {
  const held = new HeldBytes();
  for (let i = 0; i < 100_000; i++) held.append(Buffer.of(i & 0xff));
  let blocks = 0;
  for (; held.length > 0; blocks++) held.discard(held.first.length);
  expect(blocks).toBeLessThan(5);
});
