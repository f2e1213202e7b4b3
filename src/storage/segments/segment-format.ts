import { crc32 } from 'node:zlib';
import { combineCrc32 } from '../../records/combine-crc32.ts';

/** The location of an entry. `length` is that of its payload; the header precedes it. */
export interface SegmentLocation {
  readonly segment: number;
  /** Offset of the entry's header. */
  readonly offset: number;
  readonly length: number;
}

/** A part of an entry's payload. Bytes whose checksum is known are not read for the checksum of the entry. */
export type PayloadPart = Uint8Array | SummedBytes;

export interface SummedBytes {
  readonly bytes: Uint8Array;
  /** The CRC-32 of exactly these bytes. */
  readonly crc32: number;
}

export const SEGMENT_HEADER_BYTES = 16;
export const ENTRY_HEADER_BYTES = 12;

const SEGMENT_MAGIC = 0x4745534d; // "MSEG"
const ENTRY_MAGIC = 0x544e454d; // "MENT"
const VERSION = 1;

/** `00000017.segment`; the names sort like the numbers. */
export function segmentFileName(segment: number): string {
  return `${String(segment).padStart(8, '0')}.segment`;
}

/** The number in a file's name; undefined when it is not a segment file. */
export function segmentOfFileName(name: string): number | undefined {
  const digits = /^(\d{8,})\.segment$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The position after an entry. */
export function endOfEntry({ offset, length }: SegmentLocation): number {
  return offset + ENTRY_HEADER_BYTES + length;
}

export function encodeSegmentHeader(segment: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.writeUInt32LE(SEGMENT_MAGIC, 0);
  header.writeUInt32LE(VERSION, 4);
  header.writeBigUInt64LE(BigInt(segment), 8);
  return header;
}

/** The fault of a segment's header; undefined when it is valid. */
export function segmentHeaderFault(header: Buffer, segment: number): string | undefined {
  if (header.length < SEGMENT_HEADER_BYTES || header.readUInt32LE(0) !== SEGMENT_MAGIC) {
    return 'this is not a segment file';
  }
  const version = header.readUInt32LE(4);
  if (version !== VERSION) return `segment format ${version} is unknown; this program reads ${VERSION}`;
  const number = header.readBigUInt64LE(8);
  return number === BigInt(segment) ? undefined : `this is segment ${number} under another's name`;
}

export function bytesOf(part: PayloadPart): Uint8Array {
  return part instanceof Uint8Array ? part : part.bytes;
}

export function encodeEntryHeader(payload: readonly PayloadPart[], length: number): Buffer {
  const header = Buffer.allocUnsafe(ENTRY_HEADER_BYTES);
  header.writeUInt32LE(ENTRY_MAGIC, 0);
  header.writeUInt32LE(length, 4);
  header.writeUInt32LE(checksum(header, payload), 8);
  return header;
}

/** The length in an entry's header, which can be damaged. */
export function entryLengthOf(header: Buffer): number {
  return header.readUInt32LE(4);
}

/** The fault of an entry (header and payload); undefined when it is valid. */
export function entryFault(entry: Buffer, length: number): string | undefined {
  if (entry.length < ENTRY_HEADER_BYTES + length) return 'the file ends before the entry does';
  if (entry.readUInt32LE(0) !== ENTRY_MAGIC) return 'no entry begins here';
  if (entry.readUInt32LE(4) !== length) return `the entry says it has ${entry.readUInt32LE(4)} bytes`;
  const sum = checksum(entry, [entry.subarray(ENTRY_HEADER_BYTES)]);
  return sum === entry.readUInt32LE(8) ? undefined : 'the checksum does not match';
}

/** Covers the length and the payload, so that a header of another entry is not valid. */
function checksum(header: Buffer, payload: readonly PayloadPart[]): number {
  let sum = crc32(header.subarray(4, 8));
  for (const part of payload) {
    sum = part instanceof Uint8Array ? crc32(part, sum) : combineCrc32(sum, part.crc32, part.bytes.length);
  }
  return sum;
}
