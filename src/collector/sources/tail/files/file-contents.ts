import { crc32 } from 'node:zlib';
import type { Position } from '../../../../records/position.ts';
import { readBytes } from './read-bytes.ts';
import type { ReadableFile } from './readable-file.ts';

/**
 * A file is read in pieces of this size: memory is bounded, and other streams are read between two pieces.
 */
const PIECE_BYTES = 256 * 1024;

/**
 * The CRC-32 of a range of a file, continued from `before`; undefined when the file ends before the range
 * does.
 */
export async function checksumOf(
  handle: ReadableFile,
  { start, end }: ByteRange,
  before = 0,
): Promise<number | undefined> {
  let checksum = before;
  for (let position = start; position < end; position += PIECE_BYTES) {
    const pieceEnd = Math.min(end, position + PIECE_BYTES);
    const piece = await readBytes(handle, position, pieceEnd);
    if (piece.length < pieceEnd - position) return undefined;
    checksum = crc32(piece, checksum);
  }
  return checksum;
}

export interface ByteRange {
  readonly start: Position;
  readonly end: Position;
}

/** Whether two files have the same bytes in a range; false when one of them ends before the range does. */
export async function haveSameBytes(
  a: ReadableFile,
  b: ReadableFile,
  { start, end }: ByteRange,
): Promise<boolean> {
  for (let position = start; position < end; position += PIECE_BYTES) {
    const pieceEnd = Math.min(end, position + PIECE_BYTES);
    const [ofA, ofB] = await Promise.all([
      readBytes(a, position, pieceEnd),
      readBytes(b, position, pieceEnd),
    ]);
    if (ofA.length < pieceEnd - position || !ofA.equals(ofB)) return false;
  }
  return true;
}
