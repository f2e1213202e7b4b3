import { copyBytes } from '../../logstore/line-attributes.ts';

/**
 * Writes values as ClickHouse's formats RowBinary and Native have them. Each function returns the offset after the field.
 */
const TWO_32 = 2 ** 32;
/** A length of up to 2^35. */
export const MAX_LENGTH_BYTES = 5;

export function writeInt16(bytes: Buffer, offset: number, value: number): number {
  bytes[offset] = value;
  bytes[offset + 1] = value >> 8;
  return offset + 2;
}

/** Writes two halves: a BigInt per number would cost more than the rest of the row. */
export function writeInt64(bytes: Buffer, offset: number, value: number): number {
  const high = Math.floor(value / TWO_32);
  return writeInt32(bytes, writeInt32(bytes, offset, value - high * TWO_32), high);
}

function writeInt32(bytes: Buffer, offset: number, value: number): number {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
  return offset + 4;
}

/** Seven bits in each byte, the lowest first. */
export function writeLength(bytes: Buffer, offset: number, length: number): number {
  let rest = length;
  let at = offset;
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at] = rest;
  return at + 1;
}

/** A part of the bytes of a batch, as text. */
export function writeBytes(
  bytes: Buffer,
  offset: number,
  data: Uint8Array,
  start: number,
  end: number,
): number {
  return copyBytes(bytes, writeLength(bytes, offset, end - start), data, start, end);
}

export function writeText(bytes: Buffer, offset: number, text: string): number {
  const at = writeLength(bytes, offset, Buffer.byteLength(text));
  return at + bytes.write(text, at);
}
