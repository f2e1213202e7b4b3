import type { FileHandle } from 'node:fs/promises';
import type { Position } from '../../../records/position.ts';
import { readBytes } from './file-identity.ts';

/*
 * A run of NUL bytes is no text. A writer without O_APPEND leaves one at the beginning of its file when that is
 * truncated (copytruncate); a power loss leaves one in the middle; preallocation leaves one at the end.
 *
 * A run that other bytes follow is a hole. It is not sent: the stream has a gap there, so that positions remain offsets
 * in the file. The ledger accepts a gap, and a checkpoint only ends after a batch, so no position is ever inside a hole.
 * When a call begins, reading may continue before the hole; then the hole is skipped again. A checksum of the stream
 * covers the file's bytes, those of the hole included.
 *
 * NUL bytes at the end of a file wait: on a network file system a file may be longer before its bytes arrive. For the
 * same reason a hole is skipped only when it is found unchanged after a second.
 */

/** At the beginning of a record, fewer NUL bytes belong to the record. */
const MIN_LEADING_BYTES = 8;
const SHORTEST_INNER_RUN = Buffer.alloc(64);
const SCAN_BYTES = 1024 * 1024;

/** `[start, end)` of the first run of NUL bytes that is no text; undefined when there is none. */
export function findNulRun(bytes: Buffer): { readonly start: number; readonly end: number } | undefined {
  if (bytes.indexOf(0) < 0) return undefined;
  const leadingEnd = endOfNuls(bytes, 0);
  if (leadingEnd >= MIN_LEADING_BYTES) return { start: 0, end: leadingEnd };
  const start = bytes.indexOf(SHORTEST_INNER_RUN);
  return start < 0 ? undefined : { start, end: endOfNuls(bytes, start) };
}

/** Where the NUL bytes that begin at `position` end; undefined when they reach the end of the file. */
export async function findTextAfterNuls(
  handle: FileHandle,
  position: Position,
): Promise<Position | undefined> {
  for (let at = position; ; at += SCAN_BYTES) {
    const bytes = await readBytes(handle, at, at + SCAN_BYTES);
    const end = endOfNuls(bytes, 0);
    if (end < bytes.length) return at + end;
    if (bytes.length < SCAN_BYTES) return undefined;
  }
}

function endOfNuls(bytes: Buffer, start: number): number {
  let end = start;
  while (end < bytes.length && bytes[end] === 0) end++;
  return end;
}
