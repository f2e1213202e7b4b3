import type { Checksum } from './gen/megacollector/v1/aggregator.ts';
import type { RunningChecksum } from './running-checksum.ts';
import { WireError } from './wire-error.ts';
import { FieldReader, WIRE_FIXED32, WIRE_VARINT, writeVarint } from './wire-fields.ts';

/** The Checksum message, by hand: every batch has two. */

const FROM = 1 * 8 + WIRE_VARINT;
const CRC32 = 2 * 8 + WIRE_FIXED32;

/** Always has both fields, so that an absent checksum and that of no bytes differ. */
export function checksumToBytes({ from, crc32 }: RunningChecksum): Buffer {
  const bytes = Buffer.allocUnsafe(16);
  let at = writeVarint(bytes, 0, FROM);
  at = writeVarint(bytes, at, from);
  at = writeVarint(bytes, at, CRC32);
  at = bytes.writeUInt32LE(crc32, at);
  return bytes.subarray(0, at);
}

/** Throws WireError. */
export function checksumFromBytes(bytes: Uint8Array): RunningChecksum {
  const reader = new FieldReader(bytes);
  let from = 0;
  let crc32 = 0;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === FROM) from = reader.varint();
    else if (tag === CRC32) crc32 = reader.fixed32();
    else reader.skip(tag & 7);
  }
  return { from, crc32 };
}

/** The message in the form of the generated code. */
export function checksumToMessage({ from, crc32 }: RunningChecksum): Checksum {
  return { from: BigInt(from), crc32 };
}

/** undefined for an absent message, and for one whose position is out of range. */
export function checksumFromMessage(message: Checksum | undefined): RunningChecksum | undefined {
  if (message === undefined || message.from > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return { from: Number(message.from), crc32: message.crc32 };
}

/** The checksums of a batch; both or none. Throws WireError. */
export function checksumPair(
  start: RunningChecksum | undefined,
  end: RunningChecksum | undefined,
): ChecksumPair | undefined {
  if (start === undefined && end === undefined) return undefined;
  if (start === undefined || end === undefined) throw new WireError('the batch has one checksum of two');
  if (start.from !== end.from) throw new WireError('the checksums of the batch begin at different positions');
  return { start, end };
}

/** Of a stream's bytes before and after a batch. Both begin at the same position. */
export interface ChecksumPair {
  readonly start: RunningChecksum;
  readonly end: RunningChecksum;
}
