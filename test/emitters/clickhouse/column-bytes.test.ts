import { expect, test } from 'vitest';
import { ColumnBytes } from '../../../src/emitters/clickhouse/column-bytes.ts';

const MEBIBYTE = 1024 * 1024;

function append(column: ColumnBytes, bytes: Buffer): void {
  bytes.copy(column.reserve(bytes.length), column.offset);
  column.offset += bytes.length;
}

test('returns the bytes that were written since it was cleared, in the same memory', () => {
  const column = new ColumnBytes();
  const first = [700, 10, 3 * MEBIBYTE, 5].map((size, index) => Buffer.alloc(size, index + 1));
  for (const bytes of first) append(column, bytes);
  expect(Buffer.concat(column.frames).equals(Buffer.concat(first))).toBe(true);
  const { capacityBytes } = column;
  column.clear();
  expect(column.frames).toEqual([]);
  const second = [5, 2 * MEBIBYTE, 600].map((size, index) => Buffer.alloc(size, index + 101));
  for (const bytes of second) append(column, bytes);
  expect(Buffer.concat(column.frames).equals(Buffer.concat(second))).toBe(true);
  column.clear();
  for (const bytes of first) append(column, bytes);
  column.clear();
  column.repeat(Buffer.from('abc'), 100_000);
  expect(Buffer.concat(column.frames).toString()).toBe('abc'.repeat(100_000));
  expect(column.capacityBytes).toBeLessThan(capacityBytes + 3 * MEBIBYTE);
});

test('does not keep a frame that is too small for a value', () => {
  const column = new ColumnBytes();
  append(column, Buffer.alloc(100, 1));
  column.clear();
  append(column, Buffer.alloc(MEBIBYTE, 2));
  append(column, Buffer.alloc(100, 3));
  expect(
    Buffer.concat(column.frames).equals(Buffer.concat([Buffer.alloc(MEBIBYTE, 2), Buffer.alloc(100, 3)])),
  ).toBe(true);
});
