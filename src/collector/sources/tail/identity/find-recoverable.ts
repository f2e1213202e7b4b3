import type { FileCheckpoint, PositionMark } from '../files/file-checkpoint.ts';
import type { SameAs } from './find-stream-of-file.ts';
import type { FollowedFiles } from './followed-files.ts';
import type { OpenCandidate } from './open-candidate.ts';
import { highestMatching, isSameInode } from './same-file.ts';
import type { StreamsByName } from './streams-by-name.ts';

/**
 * A stream whose own file has lost its end or has other bytes there, and the highest known position up to
 * which it is unchanged. The causes are a power loss, a program that overwrites the end of its file, or a
 * network file system that shows a file before its bytes.
 *
 * While the collector runs, a file that is shorter than before may have been truncated and written again. Then
 * all its bytes are new, even if it begins as before. So a shorter file is recovered only if at least half of
 * the bytes that were read are the same.
 */
export async function findRecoverable(
  file: OpenCandidate,
  files: FollowedFiles,
  { missing, isFirst }: { readonly missing: StreamsByName; readonly isFirst: boolean },
): Promise<Recoverable | undefined> {
  for (const stream of missing.withInode(file.inode)) {
    file.onCompare();
    if (!files.lost.has(stream)) continue;
    const recoverable = await recoverableAs({ kind: 'stream', stream }, stream.checkpoint(), file);
    const minPosition = file.sizeBytes < stream.sizeBytes ? stream.position / 2 : 0;
    if (recoverable !== undefined && recoverable.mark[0] >= minPosition) return recoverable;
  }
  if (!isFirst) return undefined;
  for (const dormant of files.dormant.withInode(file.inode)) {
    file.onCompare();
    if (dormant.checkpoint.superseded === true) continue;
    const recoverable = await recoverableAs({ kind: 'dormant', dormant }, dormant.checkpoint, file);
    if (recoverable !== undefined) return recoverable;
  }
  return undefined;
}

export interface Recoverable {
  readonly same: SameAs;
  readonly known: FileCheckpoint;
  readonly mark: PositionMark;
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
