import { expect, test } from 'vitest';
import { formatByteSize, parseByteSize } from '../../../src/runtime/configuration/byte-size.ts';

test.each([
  ['0', 0],
  ['1048576', 1_048_576],
  ['12B', 12],
  ['1kB', 1000],
  ['1KiB', 1024],
  ['10GiB', 10 * 2 ** 30],
  ['1K', 1024],
  ['10G', 10 * 2 ** 30],
  ['2TB', 2e12],
])('reads %s', (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

test.each(['', '-1', '1.5GiB', '1 GiB', '1gib', '0x10', '1e9', '9007199254740993', '99999TiB'])(
  'rejects %j',
  (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  },
);

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [10 * 2 ** 30, '10 GiB'],
])('writes %i as %s', (bytes, text) => {
  expect(formatByteSize(bytes)).toBe(text);
});
