import { describe, expect, test } from 'vitest';
import { inflateZstd } from '../../../src/protocols/http-push/zstd-frames.ts';

const MIB = 1024 * 1024;
/** A frame with a window of 1 KiB, a raw block, and no checksum. */
const frame = (text: string, window = 0) =>
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window, (text.length << 3) | 1, 0, 0, ...Buffer.from(text)]);
/** A block of 128 KiB with one byte that repeats. */
const REPEATED_BYTES = 128 * 1024;
const repeated = (blocks: number) => {
  const block = (isLast: boolean) => {
    const header = (REPEATED_BYTES << 3) | 2 | (isLast ? 1 : 0);
    return [header & 0xff, (header >> 8) & 0xff, header >> 16, 0x61];
  };
  const all = Array.from({ length: blocks }, (_, index) => block(index === blocks - 1)).flat();
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, ...all]);
};

describe('inflateZstd', () => {
  test('inflates a frame, and several frames', () => {
    expect(String(inflateZstd(frame('abc'), MIB))).toBe('abc');
    expect(String(inflateZstd(Buffer.concat([frame('abc'), frame('def')]), MIB))).toBe('abcdef');
    expect(inflateZstd(repeated(2), MIB)?.length).toBe(2 * REPEATED_BYTES);
  });

  test('returns undefined for frames that inflate to more than the limit', () => {
    expect(inflateZstd(repeated(1000), MIB)).toBeUndefined();
  });

  test('stops at the limit, also if one piece of the body holds thousands of blocks that repeat a byte', () => {
    expect(inflateZstd(repeated(16_000), MIB)).toBeUndefined();
  });

  test('rejects many small blocks with a large window', () => {
    const header = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x70];
    const blocks = Array.from({ length: 5000 }, () => [0, 0, 0]).flat();
    expect(() => inflateZstd(Buffer.from([...header, ...blocks, 1, 0, 0]), MIB)).toThrow(
      'too many small blocks',
    );
  });

  test('rejects many frames with a large window', () => {
    const frames = Array.from({ length: 5000 }, () => frame('a', 0x70));
    expect(() => inflateZstd(Buffer.concat(frames), MIB)).toThrow('too many small blocks');
  });

  test('rejects a frame with a large window before it allocates it', () => {
    expect(() => inflateZstd(frame('abc', 0xa8), MIB)).toThrow('at most 16 MiB');
    expect(() => inflateZstd(Buffer.concat([frame('abc'), frame('abc', 0xa8)]), MIB)).toThrow(
      'at most 16 MiB',
    );
  });

  test.each([
    ['truncated', frame('abc').subarray(0, 11)],
    ['of another format', Buffer.from('plain text')],
    ['with a block longer than the frame', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0xff, 0xff, 0x0f, 1])],
    ['with a block above 128 KiB', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x70, 0xfb, 0xff, 0x1f, 0x61])],
  ])('rejects bytes %s', (_, bytes) => {
    expect(() => inflateZstd(bytes, MIB)).toThrow('not valid Zstandard');
  });
});
