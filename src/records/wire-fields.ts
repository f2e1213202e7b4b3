import { WireError } from './wire-error.ts';

/**
 * The parts of protobuf's encoding that the frequent messages need, read and written in place: no
 * intermediate objects, no copies, and each length is checked against the available bytes first.
 */

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/** Walks the fields of one message, or the numbers of one packed field. */
export class FieldReader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
  }

  get done(): boolean {
    return this.offset >= this.end;
  }

  /** The next tag: field number * 8 + wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag >>> 3 === 0 || tag > 0xffff_ffff) throw new WireError('a field number is out of range');
    return tag;
  }

  /** A varint up to 2^53 - 1. */
  varint(): number {
    let result = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.offset >= this.end) throw new WireError('a number is cut off');
      const byte = this.bytes[this.offset++] ?? 0;
      result += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (result > Number.MAX_SAFE_INTEGER) break;
        return result;
      }
      scale *= 128;
    }
    throw new WireError('a number is out of range');
  }

  /** The bytes of a length-delimited field; a view, not a copy. */
  slice(): Uint8Array {
    const length = this.varint();
    if (length > this.end - this.offset) throw new WireError('a field is longer than its message');
    const start = this.offset;
    this.offset += length;
    return this.bytes.subarray(start, this.offset);
  }

  fixed64(): bigint {
    if (this.end - this.offset < 8) throw new WireError('a number is cut off');
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.offset, 8);
    this.offset += 8;
    return view.getBigUint64(0, true);
  }

  fixed32(): number {
    if (this.end - this.offset < 4) throw new WireError('a number is cut off');
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.offset, 4);
    this.offset += 4;
    return view.getUint32(0, true);
  }

  /** Skips an unknown field. */
  skip(wireType: number): void {
    if (wireType === WIRE_VARINT) this.varint();
    else if (wireType === WIRE_BYTES) this.slice();
    else if (wireType === WIRE_FIXED64 || wireType === WIRE_FIXED32) {
      this.offset += wireType === WIRE_FIXED64 ? 8 : 4;
      if (this.offset > this.end) throw new WireError('a number is cut off');
    } else throw new WireError('a field has an unknown wire type');
  }
}

export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Writes `value` at `offset`; returns the offset after it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest >= 128) {
    target[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

/** Tag and length of a length-delimited field. */
export function writeBytesHeader(target: Uint8Array, offset: number, field: number, length: number): number {
  return writeVarint(target, writeVarint(target, offset, field * 8 + WIRE_BYTES), length);
}

export function bytesHeaderSize(field: number, length: number): number {
  return varintSize(field * 8 + WIRE_BYTES) + varintSize(length);
}
