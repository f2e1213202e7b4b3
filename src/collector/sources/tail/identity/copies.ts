import type { StreamId } from '../../../../records/stream-id.ts';
import type { Checkpoints } from '../../../checkpoints.ts';
import { checkpointOf, type FileCheckpoint, type PositionMark } from '../files/file-checkpoint.ts';
import type { FoundFile } from '../files/find-files.ts';
import { readCheck } from '../files/read-bytes.ts';
import type { DormantStream } from './dormant-streams.ts';
import { isCopyOf } from './find-original.ts';
import { type FileCopy, type FollowedFiles, fileKey } from './followed-files.ts';
import type { OpenCandidate, UnreadFile } from './open-candidate.ts';
import { isSameInode, stillHolds } from './same-file.ts';

/**
 * Files that are not read, because a stream has all their bytes. A copy may grow while a program makes it:
 * then only the new bytes are compared with the original. When the original is truncated or deleted, the copy
 * becomes the file of the stream, and its unread bytes are read.
 */
export class Copies {
  readonly #files: FollowedFiles;
  readonly #checkpoints: Checkpoints<FileCheckpoint>;
  #changes = 0;

  constructor(files: FollowedFiles, checkpoints: Checkpoints<FileCheckpoint>) {
    this.#files = files;
    this.#checkpoints = checkpoints;
  }

  /** The number of copies that were found or have changed. */
  get changes(): number {
    return this.#changes;
  }

  at(found: FoundFile): FileCopy | undefined {
    return this.#files.copies.get(fileKey(found));
  }

  /** True when neither the copy nor its original has changed. */
  isUnchanged(copy: FileCopy, found: FoundFile): boolean {
    if (copy.sizeBytes !== found.sizeBytes || copy.modifiedUnixMs !== found.modifiedUnixMs) return false;
    const original = this.#files.streams.get(copy.of);
    return original === undefined || !this.#files.isMissing(original);
  }

  /** Records that the stream `of` has all bytes that the file has now. */
  add(
    id: StreamId,
    of: StreamId,
    options: UnreadFile & { readonly candidate: OpenCandidate; readonly mark: PositionMark },
  ): void {
    const { candidate, found, file, mark } = options;
    const { sizeBytes } = candidate;
    const { modifiedUnixMs } = found;
    const checkpoint = checkpointOf(candidate, { lineage: found.path, mark, copyOf: of });
    const before = this.at(found)?.file;
    if (before !== file) void before?.close();
    this.#files.copies.set(fileKey(found), { id, of, checkpoint, file, sizeBytes, modifiedUnixMs });
    this.#checkpoints.change(id, () => checkpoint);
    this.#changes++;
  }

  /** The file was a copy in the last run. Its state now is decided later. */
  remember({ id, checkpoint }: DormantStream, of: StreamId, { found, file }: UnreadFile): void {
    this.#files.dormant.delete(id);
    const [sizeBytes = 0] = checkpoint.marks.at(-1) ?? [];
    this.#files.copies.set(fileKey(found), { id, of, checkpoint, file, sizeBytes, modifiedUnixMs: 0 });
  }

  /** Decides what a changed copy is now. A file that is no copy any more is removed from the copies. */
  async check(
    copy: FileCopy,
    options: UnreadFile & { readonly candidate: OpenCandidate },
  ): Promise<CopyState> {
    const { candidate, found } = options;
    const [position = 0] = copy.checkpoint.marks.at(-1) ?? [];
    const isIntact =
      isSameInode(copy.checkpoint, candidate) && (await stillHolds(copy.checkpoint, candidate));
    const original = this.#files.streams.get(copy.of);
    const isAlive =
      original !== undefined &&
      this.#files.isAttached(original) &&
      original.presence.deletedSinceMs === undefined;
    const isCopy = isAlive
      ? await isCopyOf(
          candidate,
          original,
          isIntact && candidate.sizeBytes >= position ? position : undefined,
        )
      : isIntact && candidate.sizeBytes === position;
    const check = isCopy ? await readCheck(candidate.handle, candidate.sizeBytes) : undefined;
    if (check !== undefined) {
      this.add(copy.id, copy.of, { ...options, mark: [candidate.sizeBytes, check] });
      return 'copy';
    }
    this.#files.copies.delete(fileKey(found));
    // The original is gone and its bytes were read there. The bytes after them belong to this file.
    if (!isAlive && isIntact) return 'continues';
    this.#checkpoints.remove(copy.id);
    return 'other';
  }

  /** The copy is the file of its stream now. */
  forget(found: FoundFile, of: StreamId): void {
    const copy = this.at(found);
    if (copy !== undefined) {
      this.#files.copies.delete(fileKey(found));
      this.#checkpoints.remove(copy.id);
      void copy.file.close();
    }
    for (const { id, checkpoint } of this.#files.dormant.withInode(found.inode)) {
      if (checkpoint.copyOf !== of) continue;
      this.#files.dormant.delete(id);
      this.#checkpoints.remove(id);
    }
  }
}

/**
 * The state of a changed copy: still a copy; a file that has more bytes after the copied ones; or another
 * file.
 */
export type CopyState = 'copy' | 'continues' | 'other';
