import { describe, expect, it } from 'vitest';
import { checkFromBytes, checkOf, checkToBytes } from '../../src/records/check.ts';

describe('a check', () => {
  it('is that of the last 64 bytes', () => {
    const bytes = Buffer.from('x'.repeat(100) + 'y'.repeat(64));
    expect(checkOf(bytes)).toBe(checkOf(Buffer.from('y'.repeat(64))));
    expect(checkOf(bytes)).not.toBe(checkOf(bytes.subarray(0, -1)));
  });

  it('distinguishes fewer bytes from more', () => {
    expect(checkOf(Buffer.alloc(10))).not.toBe(checkOf(Buffer.alloc(11)));
    expect(checkOf(Buffer.alloc(0))).toMatch(/^[0-9a-f]{16}$/);
  });

  it('crosses the wire as 8 bytes', () => {
    const check = checkOf(Buffer.from('abc'));
    expect(checkToBytes(check)).toHaveLength(8);
    expect(checkFromBytes(checkToBytes(check))).toBe(check);
    expect(checkFromBytes(Buffer.alloc(7))).toBeUndefined();
  });
});
