import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareChecksums, emptyChecksum, extendChecksum } from '../../src/records/running-checksum.ts';

describe('a running checksum', () => {
  it('is that of all bytes, however they are split', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
        const parts = chunks.reduce(extendChecksum, emptyChecksum(7));
        expect(parts).toEqual(extendChecksum(emptyChecksum(7), Buffer.concat(chunks)));
      }),
    );
  });

  it('differs when a byte differs in the middle of equal ends', () => {
    const bytes = Buffer.alloc(10_000, 'abcdefgh\n');
    const others = Buffer.from(bytes);
    others[5_000] = (others[5_000] ?? 0) ^ 1;
    const [a, b] = [bytes, others].map((data) => extendChecksum(emptyChecksum(0), data));
    expect(a && b && compareChecksums(a, b)).toBe('other');
  });

  it('cannot be compared with one that begins elsewhere', () => {
    expect(compareChecksums(emptyChecksum(0), emptyChecksum(1))).toBe('unknown');
  });
});
