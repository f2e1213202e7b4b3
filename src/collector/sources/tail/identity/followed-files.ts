import type { StreamId } from '../../../../records/stream-id.ts';
import type { FileAccess, FilePlace } from '../files/file-access.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import type { FileStream } from '../reading/file-stream.ts';
import { DormantStreams } from './dormant-streams.ts';

/** Maximum number of streams that are remembered after their end although nothing of them was accepted. */
const MAX_FORGOTTEN = 256;

/**
 * All that is known of files: the streams that read them, the copies, and the dormant streams of files that
 * are gone.
 */
export class FollowedFiles {
  /** Every stream that the publisher may still read or accept. */
  readonly streams = new Map<StreamId, FileStream>();
  readonly copies = new Map<string, FileCopy>();
  readonly dormant = new DormantStreams();
  /** The checkpoints of the last streams that have ended and of which nothing was accepted. */
  #forgotten: readonly FileCheckpoint[] = [];
  readonly #byFile = new Map<string, FileStream>();
  /** Streams whose bytes are not in their files any more. Another file may have them. */
  readonly lost = new Set<FileStream>();

  /** Streams of which nothing was accepted. Their files may be found again, under other names. */
  get forgotten(): readonly FileCheckpoint[] {
    return this.#forgotten;
  }

  remember(checkpoint: FileCheckpoint): void {
    this.#forgotten = [...this.#forgotten, checkpoint].slice(-MAX_FORGOTTEN);
  }

  attached(): FileStream[] {
    return [...this.#byFile.values()];
  }

  streamOf(place: FilePlace): FileStream | undefined {
    return this.#byFile.get(fileKey(place));
  }

  isAttached(stream: FileStream): boolean {
    return this.#byFile.get(fileKey(stream.place)) === stream;
  }

  follow(stream: FileStream): void {
    this.streams.set(stream.id, stream);
    this.#byFile.set(fileKey(stream.place), stream);
    this.copies.delete(fileKey(stream.place));
    this.lost.delete(stream);
  }

  markLost(stream: FileStream): void {
    this.detach(stream);
    this.lost.add(stream);
  }

  detach(stream: FileStream): void {
    if (this.isAttached(stream)) this.#byFile.delete(fileKey(stream.place));
  }

  forget(stream: FileStream): void {
    this.detach(stream);
    this.lost.delete(stream);
    this.streams.delete(stream.id);
  }

  /** Streams whose file was truncated or deleted: another file may have their bytes. */
  missing(): FileStream[] {
    return [...this.lost, ...this.attached().filter(isDeleted)];
  }

  isMissing(stream: FileStream): boolean {
    return this.lost.has(stream) || (isDeleted(stream) && this.isAttached(stream));
  }
}

/** Identifies a file on this machine at this time. */
export function fileKey({ device, inode }: FilePlace): string {
  return `${device}:${inode}`;
}

/** A file that is not read, because the stream `of` has all its bytes. */
export interface FileCopy {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
  readonly of: StreamId;
  readonly file: FileAccess;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
}

function isDeleted({ presence }: FileStream): boolean {
  return presence.deletedSinceMs !== undefined;
}
