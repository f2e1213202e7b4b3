import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dropBytes } from '../../../src/storage/segments/segment-writer.ts';

test('dropBytes removes the first bytes without copying', () => {
  const buffers = fc.array(fc.uint8Array({ maxLength: 6 }));
  fc.assert(
    fc.property(buffers, fc.nat({ max: 40 }), (parts, count) => {
      const whole = Buffer.concat(parts);
      const rest = dropBytes(parts, Math.min(count, whole.length));
      expect(Buffer.concat(rest)).toEqual(whole.subarray(Math.min(count, whole.length)));
      for (const part of rest) expect(parts.some(({ buffer }) => buffer === part.buffer)).toBe(true);
    }),
  );
});
