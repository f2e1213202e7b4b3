import { describe, expect, test } from 'vitest';
import { inflateSnappy } from '../../../src/protocols/http-push/snappy-block.ts';

const MIB = 1024 * 1024;

describe('inflateSnappy', () => {
  test.each([
    ['an empty block', [0], ''],
    ['a short literal', [3, 0x08, 0x61, 0x62, 0x63], 'abc'],
    ['a literal with a length of one byte', [3, 0xf0, 2, 0x61, 0x62, 0x63], 'abc'],
    ['a literal with a length of two bytes', [3, 0xf4, 2, 0, 0x61, 0x62, 0x63], 'abc'],
    ['a copy with an offset of 11 bits', [8, 0x0c, 0x61, 0x62, 0x63, 0x64, 0x01, 4], 'abcdabcd'],
    ['a copy with an offset of two bytes', [6, 0x08, 0x61, 0x62, 0x63, 0x0a, 3, 0], 'abcabc'],
    ['a copy with an offset of four bytes', [6, 0x08, 0x61, 0x62, 0x63, 0x0b, 3, 0, 0, 0], 'abcabc'],
    ['a copy that overlaps itself', [9, 0x00, 0x61, 0x11, 1], 'aaaaaaaaa'],
  ])('inflates %s', (_, bytes, text) => {
    expect(inflateSnappy(Buffer.from(bytes), MIB)?.toString()).toBe(text);
  });

  test('returns undefined for a block that would inflate to more than the limit', () => {
    expect(inflateSnappy(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0x61]), MIB)).toBeUndefined();
  });

  test.each([
    ['nothing', []],
    ['a size without an end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a size that the block cannot have', [0xff, 0xff, 0x20, 0, 0x61]],
    ['a literal longer than the block', [3, 0x08, 0x61]],
    ['a literal longer than the size', [1, 0x08, 0x61, 0x62, 0x63]],
    ['a literal with a length of 4 GiB', [3, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ['a copy from before the beginning', [8, 0x00, 0x61, 0x01, 2]],
    ['a copy with the offset 0', [8, 0x00, 0x61, 0x01, 0]],
    ['a copy longer than the size', [3, 0x00, 0x61, 0x01, 1]],
    ['fewer bytes than the size', [9, 0x00, 0x61]],
  ])('rejects %s', (_, bytes) => {
    expect(() => inflateSnappy(Buffer.from(bytes), MIB)).toThrow('not a valid block of Snappy');
  });

  test('either rejects or inflates random bytes', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed & 0xff;
    };
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from([20, ...Array.from({ length: round % 40 }, random)]);
      let result: Buffer | undefined | 'damaged';
      try {
        result = inflateSnappy(bytes, MIB);
      } catch {
        result = 'damaged';
      }
      expect(result === 'damaged' || result?.length === 20).toBe(true);
    }
  });
});
