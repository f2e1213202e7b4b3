import type { FileHandle } from 'node:fs/promises';
import type { FileAccess } from './file-access.ts';
import type { FileCheckpoint, PositionMark } from './file-checkpoint.ts';
import { readBytes, readCheck, readHead } from './file-identity.ts';
import type { FileStream } from './file-stream.ts';
import type { FoundFile } from './find-files.ts';
import type { DormantStream, FollowedFiles } from './followed-files.ts';
import { type Candidate, highestAgreeing, isSameFile, isSameInode, TELLING_BYTES } from './same-file.ts';

/** What a newcomer's bytes are those of. */
export type SameAs =
  | { readonly kind: 'stream'; readonly stream: FileStream }
  | { readonly kind: 'dormant'; readonly dormant: DormantStream };

/** A file that no stream reads, and the way to its bytes. */
export interface OpenNewcomer {
  readonly found: FoundFile;
  readonly file: FileAccess;
}

/** A file as it is at this moment. */
export interface Newcomer extends Candidate {
  readonly sizeBytes: number;
}

export async function newcomerOf(handle: FileHandle, file: FileAccess): Promise<Newcomer> {
  const head = await readHead(handle);
  const { size } = await handle.stat();
  return { ...file.place, handle, head, sizeBytes: size };
}

/**
 * In which order newcomers are asked whether they are known: a file at its old inode before one that has the same bytes
 * elsewhere, and both before one of which it is known that it is a copy.
 */
export const EVIDENCE = ['inode', 'content', 'copy'] as const;
export type Evidence = (typeof EVIDENCE)[number];

/**
 * The stream that goes on in this file: one whose own file was truncated or deleted, or that has not been seen since
 * the start. Of several, the one that knows most of it.
 */
export async function findSame(
  file: Newcomer,
  files: FollowedFiles,
  evidence: Evidence,
): Promise<SameAs | undefined> {
  let best: SameAs | undefined;
  let bestPosition = -1;
  for (const [known, same] of suspects(file, files)) {
    const mark = known.marks.at(-1);
    if (mark === undefined || mark[0] <= bestPosition) continue;
    if ((known.copyOf !== null) !== (evidence === 'copy')) continue;
    if (evidence === 'inode' && !isSameInode(known, file)) continue;
    if (!(await isSameFile(known, mark, file))) continue;
    best = same;
    bestPosition = mark[0];
  }
  return best;
}

/** Those that may go on in this file, by its beginning and size. */
function* suspects(file: Newcomer, files: FollowedFiles): Iterable<readonly [FileCheckpoint, SameAs]> {
  for (const stream of files.missing()) {
    if (stream.position <= file.sizeBytes) yield [stream.checkpoint(), { kind: 'stream', stream }];
  }
  for (const dormant of files.dormant.withBeginning(file.head)) {
    yield [dormant.checkpoint, { kind: 'dormant', dormant }];
  }
}

/**
 * The stream of whose file this one is a copy: its beginning and its end equal the bytes there. A file that took the
 * place of a renamed one is no copy, however alike they are: it is the next generation.
 */
export async function findOriginal(file: Newcomer, files: FollowedFiles): Promise<FileStream | undefined> {
  if (file.sizeBytes < TELLING_BYTES) return undefined;
  for (const stream of files.attached()) {
    const tookItsPlace = file.path === stream.lineage && stream.path !== stream.lineage;
    if (tookItsPlace || stream.unlinkedSinceMs !== undefined) continue;
    if (await isCopyOf(file, stream)) return stream;
  }
  return undefined;
}

export async function isCopyOf(file: Newcomer, original: FileStream): Promise<boolean> {
  if (!mayBeCopyOf(file, original)) return false;
  const ending = await readCheck(file.handle, file.sizeBytes);
  const equal = await original.file.use(async (handle) => {
    const beginning = await readBytes(handle, 0, file.head.length);
    return beginning.equals(file.head.bytes) && (await readCheck(handle, file.sizeBytes)) === ending;
  });
  return equal === true;
}

/** By what is at hand. A short newcomer is compared only with files it is named after, or a start would take too long. */
function mayBeCopyOf(file: Newcomer, original: FileStream): boolean {
  if (file.head.length >= original.prefix.length) return file.head.agrees(original.prefix);
  return file.path.startsWith(original.path) || original.path.startsWith(file.path);
}

/** Of a truncated stream, a file that holds its beginning, though less than was read of it: a copy that came too late. */
export async function findTruncatedOriginal(
  file: Newcomer,
  files: FollowedFiles,
): Promise<FileStream | undefined> {
  for (const stream of files.lost) {
    const { prefix, marks } = stream.checkpoint();
    if (file.sizeBytes < TELLING_BYTES || file.sizeBytes > stream.position) continue;
    if (!file.head.agrees(prefix)) continue;
    if ((await highestAgreeing(marks, file.handle)) !== undefined) return stream;
  }
  return undefined;
}

/**
 * The stream whose bytes this file has, and its own has no more: truncated since it was looked at. Asked of a file that
 * is no copy, so that there is no moment between the two questions in which it could have been one.
 */
export async function findJustTruncated(
  file: Newcomer,
  files: FollowedFiles,
): Promise<FileStream | undefined> {
  if (file.sizeBytes < TELLING_BYTES) return undefined;
  for (const stream of files.attached()) {
    const known = stream.checkpoint();
    const last = known.marks.at(-1);
    if (last === undefined || !file.head.agrees(known.prefix)) continue;
    const isAlike =
      (await isSameFile(known, last, file)) ||
      (await highestAgreeing(known.marks, file.handle)) !== undefined;
    if (isAlike && (await stream.holds()) === false) return stream;
  }
  return undefined;
}

/**
 * After a power loss on the host of the log: a stream whose file has lost its end, or has other bytes there, and the
 * highest of its remembered positions that still agrees. Only at the same inode: a new generation may have an equal
 * beginning, but a file system that recovers moves no inodes.
 */
export async function findDamaged(
  file: Newcomer,
  files: FollowedFiles,
): Promise<{ readonly dormant: DormantStream; readonly mark: PositionMark } | undefined> {
  for (const dormant of files.dormant.withInode(file.inode)) {
    const { checkpoint } = dormant;
    if (checkpoint.copyOf !== null) continue;
    if (checkpoint.device !== file.device && checkpoint.path !== file.path) continue;
    if (file.head.length >= checkpoint.prefix.length && !file.head.agrees(checkpoint.prefix)) continue;
    const mark = await highestAgreeing(checkpoint.marks, file.handle);
    if (mark !== undefined) return { dormant, mark };
  }
  return undefined;
}
