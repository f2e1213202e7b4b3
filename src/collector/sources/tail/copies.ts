import type { StreamId } from '../../../records/stream-id.ts';
import type { Checkpoints } from '../../checkpoints.ts';
import { checkpointOf, type FileCheckpoint, type PositionMark } from './file-checkpoint.ts';
import { readCheck } from './file-identity.ts';
import type { FoundFile } from './find-files.ts';
import { type DormantStream, type FileCopy, type FollowedFiles, fileKey } from './followed-files.ts';
import { isCopyOf, type Newcomer, type OpenNewcomer } from './identify.ts';

/** What has become of a copy that has changed: still one; a file that goes on behind what was copied; or another file. */
export type CopyVerdict = 'copy' | 'goes-on' | 'other';

/**
 * Files whose bytes are those of a stream: not read, but known. While the original is there, a copy may grow towards
 * it. When the original is truncated, the copy becomes the stream's file, and what was not read is read there.
 */
export class Copies {
  readonly #files: FollowedFiles;
  readonly #checkpoints: Checkpoints<FileCheckpoint>;

  constructor(files: FollowedFiles, checkpoints: Checkpoints<FileCheckpoint>) {
    this.#files = files;
    this.#checkpoints = checkpoints;
  }

  at(found: FoundFile): FileCopy | undefined {
    return this.#files.copies.get(fileKey(found));
  }

  /** True when there is nothing to decide: neither it nor its original has changed. */
  isUnchanged(copy: FileCopy, found: FoundFile): boolean {
    if (copy.sizeBytes !== found.sizeBytes || copy.modifiedUnixMs !== found.modifiedUnixMs) return false;
    for (const { id } of this.#files.lost) if (id === copy.of) return false;
    return true;
  }

  /** Takes note that the file, as it is now, has the bytes of this stream. */
  add(id: StreamId, of: StreamId, options: OpenNewcomer & { newcomer: Newcomer; mark: PositionMark }): void {
    const { newcomer, found, file, mark } = options;
    const { sizeBytes } = newcomer;
    const { modifiedUnixMs } = found;
    const checkpoint = checkpointOf(newcomer, { lineage: found.path, mark, copyOf: of });
    const before = this.at(found)?.file;
    if (before !== file) void before?.close();
    this.#files.copies.set(fileKey(found), { id, of, checkpoint, file, sizeBytes, modifiedUnixMs });
    this.#checkpoints.change(id, () => checkpoint);
  }

  /** It was a copy when the collector ran last; what it is now is still to be seen. */
  remember({ id, checkpoint }: DormantStream, of: StreamId, { found, file }: OpenNewcomer): void {
    this.#files.dormant.delete(id);
    const [sizeBytes = 0] = checkpoint.marks.at(-1) ?? [];
    this.#files.copies.set(fileKey(found), { id, of, checkpoint, file, sizeBytes, modifiedUnixMs: 0 });
  }

  /** Looks at a copy that has changed. Unless it still is one, it is a copy no longer. */
  async look(copy: FileCopy, options: OpenNewcomer & { newcomer: Newcomer }): Promise<CopyVerdict> {
    const { newcomer, found } = options;
    const original = this.#files.streams.get(copy.of);
    const isAlive = original !== undefined && this.#files.isAttached(original);
    const check = await readCheck(newcomer.handle, newcomer.sizeBytes);
    const [position = 0, knownCheck] = copy.checkpoint.marks.at(-1) ?? [];
    const isAsBefore = newcomer.sizeBytes === position && check === knownCheck;
    if (check !== undefined && (isAlive ? await isCopyOf(newcomer, original) : isAsBefore)) {
      this.add(copy.id, copy.of, { ...options, mark: [newcomer.sizeBytes, check] });
      return 'copy';
    }
    this.#files.copies.delete(fileKey(found));
    // With the original gone, what was copied has been read there, and what was added since is this file's own.
    if (!isAlive && (await readCheck(newcomer.handle, position)) === knownCheck) return 'goes-on';
    this.#checkpoints.remove(copy.id);
    return 'other';
  }

  /** The copy has become the file of its stream. */
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
