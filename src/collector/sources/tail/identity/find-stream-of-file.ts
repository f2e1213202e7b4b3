import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import type { FileStream } from '../reading/file-stream.ts';
import type { DormantStream } from './dormant-streams.ts';
import { type FollowedFiles, fileKey } from './followed-files.ts';
import { type OpenCandidate, originalsOf } from './open-candidate.ts';
import { hasAllBytes, isSameInode, stillHolds } from './same-file.ts';
import type { StreamsByName } from './streams-by-name.ts';

/** The stream that has read this file, under any name: the same inode, with the bytes that were read. */
export async function findByInode(
  file: OpenCandidate,
  files: FollowedFiles,
  missing: StreamsByName,
): Promise<SameAs | undefined> {
  const best = new BestMatch();
  for (const stream of missing.withInode(file.inode)) {
    file.onCompare();
    const known = stream.checkpointOfRead();
    if (isSameInode(known, file) && (await stillHolds(known, file)))
      best.offer(known, { kind: 'stream', stream });
  }
  for (const dormant of files.dormant.withInode(file.inode)) {
    file.onCompare();
    const known = dormant.checkpoint;
    if (known.superseded === true) continue;
    if (isSameInode(known, file) && (await stillHolds(known, file)))
      best.offer(known, { kind: 'dormant', dormant });
  }
  return best.same;
}

/** The stream that continues in a file. */
export type SameAs =
  | { readonly kind: 'stream'; readonly stream: FileStream }
  | { readonly kind: 'dormant'; readonly dormant: DormantStream };

/**
 * The stream that continues in this file although it is another file: it has all bytes that were read, and it
 * is at the path of the stream (editors and rsync replace files) or has a name that a rotation makes of it
 * (copytruncate).
 */
export async function findByContent(
  file: OpenCandidate,
  files: FollowedFiles,
  missing: StreamsByName,
): Promise<SameAs | undefined> {
  const best = new BestMatch();
  const originals = originalsOf(file);
  for (const stream of missing.related(file.paths, originals)) {
    file.onCompare();
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
    file.onCompare();
    const known = one.checkpoint;
    if (known.copyOf !== null || known.deleted === true) continue;
    if (await hasAllBytes(known, file)) best.offer(known, { kind: 'dormant', dormant: one });
  }
  return best.same;
}

/** Every byte that the stream has read was compared with the file before. */
function isKnownCopy(file: OpenCandidate, stream: FileStream, files: FollowedFiles): boolean {
  const copy = files.copies.get(fileKey(file));
  return copy?.of === stream.id && copy.sizeBytes >= stream.position && isSameInode(copy.checkpoint, file);
}

/** The match that has read most. A stream is preferred to a copy. */
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
