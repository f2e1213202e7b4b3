import { dirname } from 'node:path';
import type { StreamId } from '../../../records/stream-id.ts';
import type { FileAccess, FilePlace } from './file-access.ts';
import type { FileCheckpoint } from './file-checkpoint.ts';
import type { Head } from './file-identity.ts';
import type { FileStream } from './file-stream.ts';
import { groupBy } from './group-by.ts';

/** Names a file on this machine, now. */
export function fileKey({ device, inode }: FilePlace): string {
  return `${device}:${inode}`;
}

/** A file that is not read, because its bytes are those of a stream. */
export interface FileCopy {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
  readonly of: StreamId;
  readonly file: FileAccess;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
}

/** A stream without a file: its file is gone, or has not been seen since the start. */
export interface DormantStream {
  readonly id: StreamId;
  checkpoint: FileCheckpoint;
}

/** What is known of files: who reads which one, which ones are copies, and what was read of those that are gone. */
export class FollowedFiles {
  /** Every stream that the publisher may still ask for. */
  readonly streams = new Map<StreamId, FileStream>();
  readonly copies = new Map<string, FileCopy>();
  readonly dormant = new DormantStreams();
  readonly #byFile = new Map<string, FileStream>();
  /** Their bytes are not at their place any more; perhaps another file has them. */
  readonly lost = new Set<FileStream>();

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

  lose(stream: FileStream): void {
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

  /** Streams that look for their bytes: their file was truncated or deleted. */
  missing(): FileStream[] {
    const deleted = this.attached().filter(({ unlinkedSinceMs }) => unlinkedSinceMs !== undefined);
    return [...this.lost, ...deleted];
  }

  isAnyoneMissing(): boolean {
    return this.dormant.size > 0 || this.missing().length > 0;
  }
}

/** Dormant streams, to be found by what a file shows: its beginning, its path, its inode. */
class DormantStreams {
  readonly #all = new Map<StreamId, DormantStream>();
  /** By the length of the prefix, then by its hash: nearly all have the full length. */
  readonly #byPrefix = new Map<number, Map<string, Set<StreamId>>>();

  get size(): number {
    return this.#all.size;
  }

  values(): Iterable<DormantStream> {
    return this.#all.values();
  }

  add(id: StreamId, checkpoint: FileCheckpoint): void {
    this.delete(id);
    this.#all.set(id, { id, checkpoint });
    const { length, hash } = checkpoint.prefix;
    const ofLength = this.#byPrefix.get(length) ?? new Map<string, Set<StreamId>>();
    this.#byPrefix.set(length, ofLength);
    ofLength.set(hash, (ofLength.get(hash) ?? new Set()).add(id));
  }

  delete(id: StreamId): void {
    const known = this.#all.get(id);
    if (known === undefined) return;
    this.#all.delete(id);
    const { length, hash } = known.checkpoint.prefix;
    const ofLength = this.#byPrefix.get(length);
    const ofHash = ofLength?.get(hash);
    ofHash?.delete(id);
    if (ofHash?.size === 0) ofLength?.delete(hash);
    if (ofLength?.size === 0) this.#byPrefix.delete(length);
  }

  /** Those that may be the file that begins with `head`. */
  withBeginning(head: Head): DormantStream[] {
    const found: DormantStream[] = [];
    for (const [length, ofLength] of this.#byPrefix) {
      if (length === 0 || length > head.length) continue;
      for (const id of ofLength.get(head.prefix(length).hash) ?? []) {
        const dormant = this.#all.get(id);
        if (dormant !== undefined) found.push(dormant);
      }
    }
    return found;
  }

  /** Those that were seen under this path last. */
  at(path: string): DormantStream[] {
    return [...this.#all.values()].filter(({ checkpoint }) => checkpoint.path === path);
  }

  withInode(inode: string): DormantStream[] {
    return [...this.#all.values()].filter(({ checkpoint }) => checkpoint.inode === inode);
  }

  /** Grouped by the directory they were in. */
  byDirectory(): Map<string, DormantStream[]> {
    return groupBy(this.#all.values(), ({ checkpoint }) => dirname(checkpoint.path));
  }
}
