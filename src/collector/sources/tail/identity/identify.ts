import type { FileHandle } from 'node:fs/promises';
import type { Position } from '../../../../records/position.ts';
import { birthOf } from '../files/birth-time.ts';
import type { FileAccess } from '../files/file-access.ts';
import type { FileCheckpoint, PositionMark } from '../files/file-checkpoint.ts';
import { haveSameBytes } from '../files/file-contents.ts';
import { readFilePrefix } from '../files/file-prefix.ts';
import type { FoundFile } from '../files/find-files.ts';
import { originalPaths } from '../files/original-paths.ts';
import type { FileStream } from '../reading/file-stream.ts';
import type { DormantStream } from './dormant-streams.ts';
import { type FollowedFiles, fileKey } from './followed-files.ts';
import {
  type Candidate,
  hasAllBytes,
  highestMatching,
  highestWithin,
  isSameInode,
  MIN_EVIDENCE_BYTES,
  stillHolds,
} from './same-file.ts';
import type { StreamsByName } from './streams-by-name.ts';

/** The stream that continues in a file. */
export type SameAs =
  | { readonly kind: 'stream'; readonly stream: FileStream }
  | { readonly kind: 'dormant'; readonly dormant: DormantStream };

/** A file that no stream reads, and the way to its bytes. */
export interface UnreadFile {
  readonly found: FoundFile;
  readonly file: FileAccess;
}

/** A file as it is at this moment. */
export interface OpenCandidate extends Candidate {
  readonly sizeBytes: number;
  /** The path where it was found and, for a symbolic link, the one of the file itself. */
  readonly paths: readonly string[];
  /** Called for each stream that it is compared with. */
  readonly compared: () => void;
}

export async function candidateOf(
  handle: FileHandle,
  file: FileAccess,
  { target, compared }: { readonly target?: string | undefined; readonly compared: () => void },
): Promise<OpenCandidate> {
  const beginning = await readFilePrefix(handle);
  const { size } = await handle.stat();
  const paths = target === undefined ? [file.place.path] : [file.place.path, target];
  return {
    ...file.place,
    handle,
    beginning,
    sizeBytes: size,
    birth: await birthOf(handle, file.place.path),
    paths,
    compared,
  };
}

/** The paths from which a rotation may have made the file: beside the file itself, not beside a link to it. */
export function originalsOf({ paths }: Pick<OpenCandidate, 'paths'>): string[] {
  return originalPaths(paths.at(-1) ?? '');
}

/** The stream whose file this is, under whatever name: the same inode, with what was read of it. */
export async function findByInode(
  file: OpenCandidate,
  files: FollowedFiles,
  missing: StreamsByName,
): Promise<SameAs | undefined> {
  const best = new BestMatch();
  for (const stream of missing.withInode(file.inode)) {
    file.compared();
    const known = stream.checkpointOfRead();
    if (isSameInode(known, file) && (await stillHolds(known, file)))
      best.offer(known, { kind: 'stream', stream });
  }
  for (const dormant of files.dormant.withInode(file.inode)) {
    file.compared();
    const known = dormant.checkpoint;
    if (known.superseded === true) continue;
    if (isSameInode(known, file) && (await stillHolds(known, file)))
      best.offer(known, { kind: 'dormant', dormant });
  }
  return best.same;
}

/**
 * The stream that continues in this file though it is another one: it has all bytes that were read, and it is at the
 * stream's path (editors and rsync replace files) or at a name that a rotation makes of it (copytruncate).
 */
export async function findByContent(
  file: OpenCandidate,
  files: FollowedFiles,
  missing: StreamsByName,
): Promise<SameAs | undefined> {
  const best = new BestMatch();
  const originals = originalsOf(file);
  for (const stream of missing.related(file.paths, originals)) {
    file.compared();
    const known = stream.checkpointOfRead();
    const isEvident = isKnownCopy(file, stream, files)
      ? await stillHolds(known, file)
      : await hasAllBytes(known, file);
    if (isEvident) best.offer(known, { kind: 'stream', stream });
  }
  const dormant = [
    ...file.paths
      .flatMap((path) => files.dormant.at(path))
      .filter(({ checkpoint }) => checkpoint.superseded !== true),
    ...files.dormant.named(originals),
  ];
  for (const one of new Set(dormant)) {
    file.compared();
    const known = one.checkpoint;
    if (known.copyOf !== null || known.deleted === true) continue;
    if (await hasAllBytes(known, file)) best.offer(known, { kind: 'dormant', dormant: one });
  }
  return best.same;
}

/** It was compared with the stream's own file, byte by byte, as far as that was read. */
function isKnownCopy(file: OpenCandidate, stream: FileStream, files: FollowedFiles): boolean {
  const copy = files.copies.get(fileKey(file));
  return copy?.of === stream.id && copy.sizeBytes >= stream.position && isSameInode(copy.checkpoint, file);
}

/** Of several, the one that has read most; a stream before a copy. */
class BestMatch {
  same: SameAs | undefined;
  #rank = -1;

  offer(known: FileCheckpoint, same: SameAs): void {
    const position = known.marks.at(-1)?.[0] ?? 0;
    const rank = known.copyOf === null ? position + 1 : 0;
    if (rank <= this.#rank) return;
    this.same = same;
    this.#rank = rank;
  }
}

/** The stream of whose file this one is a copy: made of its name, beside it, after it, and equal in every byte. */
export async function findOriginal(
  file: OpenCandidate,
  attached: StreamsByName,
): Promise<FileStream | undefined> {
  if (file.sizeBytes < MIN_EVIDENCE_BYTES) return undefined;
  for (const stream of attached.withFileAt(originalsOf(file))) {
    file.compared();
    if (await isCopyOf(file, stream)) return stream;
  }
  return undefined;
}

/**
 * `equalUpTo`: given for a file that is known as a copy of the stream. The original may have been replaced since then by
 * one that is younger than the copy; as far as the copy was compared with another file, it is compared again.
 */
export async function isCopyOf(
  file: OpenCandidate,
  original: FileStream,
  equalUpTo?: Position,
): Promise<boolean> {
  const isReplaced = isOlder(file.birth, original.birth);
  if (original.presence.deletedSinceMs !== undefined || (isReplaced && equalUpTo === undefined)) return false;
  const range = { start: isReplaced ? 0 : (equalUpTo ?? 0), end: file.sizeBytes };
  const isSame = await original.file.use((handle) => haveSameBytes(file.handle, handle, range));
  return isSame === true;
}

/** A copy cannot be older than its original: an older file with the same bytes is an older generation. */
function isOlder(birth: string | undefined, than: string | undefined): boolean {
  return birth !== undefined && than !== undefined && BigInt(birth) < BigInt(than);
}

/**
 * A truncated or deleted stream of which this is a copy that was made before all was read; and how far the two are
 * equal. A deleted file that is held open still has its bytes: as far as both files go, all of them have to be equal.
 */
export async function findTruncatedOriginal(
  file: OpenCandidate,
  files: FollowedFiles,
  missing: StreamsByName,
): Promise<{ readonly stream: FileStream; readonly mark: PositionMark } | undefined> {
  for (const stream of missing.related([], originalsOf(file))) {
    file.compared();
    if (isOlder(file.birth, stream.birth)) continue;
    const mark = await highestWithin(stream.checkpoint(), file, file.sizeBytes);
    if (mark === undefined || mark[2] === undefined) continue;
    if (!files.lost.has(stream) && !(await areEqualAsFarAsBothGo(file, stream))) continue;
    return { stream, mark };
  }
  return undefined;
}

async function areEqualAsFarAsBothGo(file: OpenCandidate, stream: FileStream): Promise<boolean> {
  const isSame = await stream.file.use(async (handle) => {
    const end = Math.min(file.sizeBytes, (await handle.stat()).size);
    return haveSameBytes(file.handle, handle, { start: 0, end });
  });
  return isSame === true;
}

/**
 * The stream of which the file may be a copy, and whose own file does not hold its bytes any more: truncated since the
 * look at it. Tested for files that are no copy, so that there is no moment between the two tests.
 */
export async function findJustTruncated(
  file: OpenCandidate,
  attached: StreamsByName,
): Promise<FileStream | undefined> {
  for (const stream of attached.withFileAt(originalsOf(file))) {
    file.compared();
    if ((await stream.content.stillHolds()) === false) return stream;
  }
  return undefined;
}

export interface Recoverable {
  readonly same: SameAs;
  readonly known: FileCheckpoint;
  readonly mark: PositionMark;
}

/**
 * A stream whose own file has lost its end or has other bytes there, and the highest remembered position up to which
 * it is as it was: after a power loss, where a program overwrites the end of its file, or where a network file system
 * shows a file before its bytes. While the collector runs, a file that has become shorter was truncated: what is in it
 * then is new.
 */
export async function findRecoverable(
  file: OpenCandidate,
  files: FollowedFiles,
  { missing, isFirst }: { readonly missing: StreamsByName; readonly isFirst: boolean },
): Promise<Recoverable | undefined> {
  for (const stream of missing.withInode(file.inode)) {
    file.compared();
    if (!files.lost.has(stream) || file.sizeBytes < stream.sizeBytes) continue;
    const recoverable = await recoverableAs({ kind: 'stream', stream }, stream.checkpoint(), file);
    if (recoverable !== undefined) return recoverable;
  }
  if (!isFirst) return undefined;
  for (const dormant of files.dormant.withInode(file.inode)) {
    file.compared();
    if (dormant.checkpoint.superseded === true) continue;
    const recoverable = await recoverableAs({ kind: 'dormant', dormant }, dormant.checkpoint, file);
    if (recoverable !== undefined) return recoverable;
  }
  return undefined;
}

async function recoverableAs(
  same: SameAs,
  known: FileCheckpoint,
  file: OpenCandidate,
): Promise<Recoverable | undefined> {
  if (known.copyOf !== null || !isSameInode(known, file)) return undefined;
  const mark = await highestMatching(known, file);
  return mark && { same, known, mark };
}
