import type { Position } from '../../../../records/position.ts';
import type { PositionMark } from '../files/file-checkpoint.ts';
import { haveSameBytes } from '../files/file-contents.ts';
import type { FileStream } from '../reading/file-stream.ts';
import type { FollowedFiles } from './followed-files.ts';
import { type OpenCandidate, originalsOf } from './open-candidate.ts';
import { highestWithin, MIN_EVIDENCE_BYTES } from './same-file.ts';
import type { StreamsByName } from './streams-by-name.ts';

/**
 * The stream of which the file is a copy. A copy has a name that is derived from the original, is in the same
 * directory, is not older, and is equal in every byte.
 */
export async function findOriginal(
  file: OpenCandidate,
  attached: StreamsByName,
): Promise<FileStream | undefined> {
  if (file.sizeBytes < MIN_EVIDENCE_BYTES) return undefined;
  for (const stream of attached.withFileAt(originalsOf(file))) {
    file.onCompare();
    if (await isCopyOf(file, stream)) return stream;
  }
  return undefined;
}

/**
 * `equalUpTo`: given for a file that is known as a copy of the stream. The original may have been replaced by
 * a file that is younger than the copy. Then all bytes are compared again.
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
 * A stream whose file was truncated or deleted after this copy of it was made; and the position up to which
 * both are equal. A deleted file that is held open still has its bytes: then all bytes that both files have
 * must be equal.
 */
export async function findTruncatedOriginal(
  file: OpenCandidate,
  files: FollowedFiles,
  missing: StreamsByName,
): Promise<{ readonly stream: FileStream; readonly mark: PositionMark } | undefined> {
  for (const stream of missing.related([], originalsOf(file))) {
    file.onCompare();
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
 * The stream of which the file may be a copy, and whose own file was truncated during this scan. It is called
 * for a file that `findOriginal` found to be no copy, so a truncation between the two calls is found.
 */
export async function findJustTruncated(
  file: OpenCandidate,
  attached: StreamsByName,
): Promise<FileStream | undefined> {
  for (const stream of attached.withFileAt(originalsOf(file))) {
    file.onCompare();
    if ((await stream.content.stillHolds()) === false) return stream;
  }
  return undefined;
}
