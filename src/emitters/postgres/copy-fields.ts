import { copyBytes } from '../../logstore/line-attributes.ts';

/**
 * Writes the fields of a row in PostgreSQL's binary COPY format: int32 length (-1: null), bytes. Each function
 * returns the offset after the field. Without the methods of Buffer, whose checks cost more than the bytes.
 */
const NULL = -1;
export const LENGTH_BYTES = 4;
export const JSONB_VERSION = 1;
/** PostgreSQL times count from 2000. */
const UNIX_MICRO_OF_2000 = Date.UTC(2000, 0, 1) * 1000;
const TWO_32 = 2 ** 32;

export function writeNull(bytes: Buffer, offset: number): number {
  return writeInt32(bytes, offset, NULL);
}

export function writeInt32(bytes: Buffer, offset: number, value: number): number {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
  return offset + LENGTH_BYTES;
}

export function writeSmallint(bytes: Buffer, offset: number, value: number): number {
  const at = writeInt32(bytes, offset, 2);
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
  return at + 2;
}

/** Writes two halves: a BigInt per number would cost more than the rest of the row. */
export function writeBigint(bytes: Buffer, offset: number, value: number): number {
  const high = Math.floor(value / TWO_32);
  const at = writeInt32(bytes, writeInt32(bytes, offset, 8), high);
  return writeInt32(bytes, at, value - high * TWO_32);
}

export function writeTime(bytes: Buffer, offset: number, unixMicro: number): number {
  return writeBigint(bytes, offset, unixMicro - UNIX_MICRO_OF_2000);
}

export function writeBytes(
  bytes: Buffer,
  offset: number,
  data: Uint8Array,
  start: number,
  end: number,
): number {
  return copyBytes(bytes, writeInt32(bytes, offset, end - start), data, start, end);
}

export function writeText(bytes: Buffer, offset: number, text: string | null): number {
  if (text === null) return writeNull(bytes, offset);
  const length = bytes.write(text, offset + LENGTH_BYTES);
  return writeInt32(bytes, offset, length) + length;
}

/** The jsonb format: a version byte before the text. */
export function writeJsonb(bytes: Buffer, offset: number, text: string | null): number {
  if (text === null) return writeNull(bytes, offset);
  bytes[offset + LENGTH_BYTES] = JSONB_VERSION;
  const length = bytes.write(text, offset + LENGTH_BYTES + 1) + 1;
  return writeInt32(bytes, offset, length) + length;
}
