import { dirname } from 'node:path';
import type { StreamId } from '../../../../records/stream-id.ts';
import { groupBy } from '../../../../runtime/group-by.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';

/** Dormant streams, indexed by the inode of their file and by their paths. */
export class DormantStreams {
  readonly #all = new Map<StreamId, DormantStream>();
  readonly #byInode = new Index();
  readonly #byPath = new Index();
  readonly #byAnyName = new Index();

  get size(): number {
    return this.#all.size;
  }

  values(): Iterable<DormantStream> {
    return this.#all.values();
  }

  get(id: StreamId): DormantStream | undefined {
    return this.#all.get(id);
  }

  add(id: StreamId, checkpoint: FileCheckpoint): void {
    this.delete(id);
    this.#all.set(id, new DormantStream(id, checkpoint));
    this.#byInode.add(checkpoint.inode, id);
    this.#byPath.add(checkpoint.path, id);
    for (const name of namesOf(checkpoint)) this.#byAnyName.add(name, id);
  }

  delete(id: StreamId): void {
    const checkpoint = this.#all.get(id)?.checkpoint;
    if (checkpoint === undefined) return;
    this.#all.delete(id);
    this.#byInode.delete(checkpoint.inode, id);
    this.#byPath.delete(checkpoint.path, id);
    for (const name of namesOf(checkpoint)) this.#byAnyName.delete(name, id);
  }

  /** The streams whose files were seen at this path last. */
  at(path: string): DormantStream[] {
    return this.#streams(this.#byPath.get(path));
  }

  /** The streams whose files had one of these paths at some time, or are generations of one. */
  named(paths: readonly string[]): DormantStream[] {
    return this.#streams(new Set(paths.flatMap((path) => [...this.#byAnyName.get(path)])));
  }

  withInode(inode: string): DormantStream[] {
    return this.#streams(this.#byInode.get(inode));
  }

  /** Grouped by the directory of their files. */
  byDirectory(): Map<string, DormantStream[]> {
    return groupBy(this.#all.values(), ({ checkpoint }) => dirname(checkpoint.path));
  }

  #streams(ids: Iterable<StreamId>): DormantStream[] {
    return Array.from(ids).flatMap((id) => this.#all.get(id) ?? []);
  }
}

/** A stream without a file: its file is gone, or has not been seen since the start. */
export class DormantStream {
  readonly id: StreamId;
  #checkpoint: FileCheckpoint;

  constructor(id: StreamId, checkpoint: FileCheckpoint) {
    this.id = id;
    this.#checkpoint = checkpoint;
  }

  get checkpoint(): FileCheckpoint {
    return this.#checkpoint;
  }

  /** The facts about the same file have changed. Its inode and its paths are the same. */
  update(checkpoint: FileCheckpoint): void {
    this.#checkpoint = checkpoint;
  }
}

class Index {
  readonly #ids = new Map<string, Set<StreamId>>();

  add(key: string, id: StreamId): void {
    const ids = this.#ids.get(key);
    if (ids === undefined) this.#ids.set(key, new Set([id]));
    else ids.add(id);
  }

  delete(key: string, id: StreamId): void {
    const ids = this.#ids.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#ids.delete(key);
  }

  get(key: string): ReadonlySet<StreamId> {
    return this.#ids.get(key) ?? NONE;
  }
}

const NONE: ReadonlySet<StreamId> = new Set();

function namesOf({ path, home, lineage }: FileCheckpoint): ReadonlySet<string> {
  return new Set([path, home, lineage]);
}
