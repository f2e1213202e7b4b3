import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineCrc32 } from '../../src/records/combine-crc32.ts';

const bytes = fc.uint8Array({ maxLength: 5000 });

describe('combineCrc32', () => {
  it('returns the checksum of two pieces that follow each other', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])));
      }),
    );
  });

  it('returns the checksum of the second piece for the checksums of the first and of both', () => {
    fc.assert(
      fc.property(bytes, bytes, fc.nat(0xffffffff), (a, b, before) => {
        const start = crc32(a, before);
        expect(combineCrc32(start, crc32(b, start), b.length)).toBe(crc32(b));
      }),
    );
  });

  it('handles pieces of several megabytes', () => {
    const a = Buffer.alloc(3_000_001, 'abc');
    const b = Buffer.alloc(4_194_304, 'lines of a log\n');
    expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])));
  });
});
