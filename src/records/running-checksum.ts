import { crc32 } from 'node:zlib';
import type { Position } from './position.ts';

/**
 * The checksum of all bytes of a stream from `from` up to a position: evidence that two parties have read the
 * same bytes, and not only that their last bytes are equal. It is extended with each batch of any size, so it
 * costs one CRC-32 of the new bytes (about 5 GB/s) and four bytes of state.
 *
 * CRC-32 as in RFC 1952. Two different byte sequences of one length have the same checksum with a probability
 * of 2^-32; it protects against accidents, not against forgery.
 */
export type RunningChecksum = {
  /** Its start: 0, unless an earlier version without checksums wrote the stream's state. */
  readonly from: Position;
  /** Unsigned, 32 bits. */
  readonly crc32: number;
};

export function emptyChecksum(from: Position): RunningChecksum {
  return { from, crc32: 0 };
}

/** The checksum including `bytes`, which directly follow the covered bytes. */
export function extendChecksum(checksum: RunningChecksum, bytes: Uint8Array): RunningChecksum {
  return { from: checksum.from, crc32: crc32(bytes, checksum.crc32) };
}

/** Compares two checksums of one position. `unknown` when they do not begin at the same position. */
export function compareChecksums(a: RunningChecksum, b: RunningChecksum): 'same' | 'other' | 'unknown' {
  if (a.from !== b.from) return 'unknown';
  return a.crc32 === b.crc32 ? 'same' : 'other';
}
