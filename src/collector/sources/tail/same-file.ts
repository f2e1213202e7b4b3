import type { FileHandle } from 'node:fs/promises';
import type { FileCheckpoint, PositionMark } from './file-checkpoint.ts';
import { type Head, readCheck } from './file-identity.ts';

/** Fewer bytes prove nothing: with them, device and inode decide. */
export const TELLING_BYTES = 64;

/** An open file that may be known. */
export interface Candidate {
  readonly handle: FileHandle;
  readonly head: Head;
  readonly path: string;
  readonly device: string;
  readonly inode: string;
}

/**
 * Whether the file is the one the checkpoint speaks of: equal beginning and equal bytes before the position, whatever
 * path, inode and device say. What is too short to tell is the same file only at the same inode, and there on the same
 * device or (device numbers change when a machine starts) under the same path.
 */
export async function isSameFile(
  known: FileCheckpoint,
  mark: PositionMark,
  file: Candidate,
): Promise<boolean> {
  if (known.prefix.length === 0 || !file.head.agrees(known.prefix)) return false;
  if (known.prefix.length < TELLING_BYTES && !isSameInode(known, file)) return false;
  const [position, check] = mark;
  return (await readCheck(file.handle, position)) === check;
}

export function isSameInode(known: FileCheckpoint, file: Candidate): boolean {
  return known.inode === file.inode && (known.device === file.device || known.path === file.path);
}

/** The highest of the remembered positions whose bytes are still there; undefined when there is none above 0. */
export async function highestAgreeing(
  marks: readonly PositionMark[],
  handle: FileHandle,
): Promise<PositionMark | undefined> {
  for (const mark of marks.toReversed()) {
    const [position, check] = mark;
    if (position >= TELLING_BYTES && (await readCheck(handle, position)) === check) return mark;
  }
  return undefined;
}
