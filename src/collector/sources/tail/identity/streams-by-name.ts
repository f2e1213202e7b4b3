import type { FileStream } from '../reading/file-stream.ts';

/** Streams, found by their inode or their names: a file is compared with those that it may be related to, not with all. */
export class StreamsByName {
  readonly #byInode = new Map<string, Set<FileStream>>();
  /** By the path, and by the target of a link. */
  readonly #byPath = new Map<string, Set<FileStream>>();
  /** By every name that the stream has or had. */
  readonly #byAnyName = new Map<string, Set<FileStream>>();
  /** By where the file itself is. */
  readonly #byPlace = new Map<string, Set<FileStream>>();

  readonly #isCurrent: (stream: FileStream) => boolean;

  /** Leaves out those that are not `isCurrent` any more when they are looked up. */
  constructor(streams: Iterable<FileStream>, isCurrent: (stream: FileStream) => boolean) {
    this.#isCurrent = isCurrent;
    for (const stream of streams) this.add(stream);
  }

  add(stream: FileStream): void {
    const { path, home, lineage, place } = stream;
    const { target } = place;
    put(this.#byInode, place.inode, stream);
    put(this.#byPlace, target ?? path, stream);
    for (const name of [path, target ?? path]) put(this.#byPath, name, stream);
    for (const name of [path, target ?? path, home, lineage]) put(this.#byAnyName, name, stream);
  }

  withInode(inode: string): FileStream[] {
    return [...this.#collect(this.#byInode, [inode])];
  }

  withFileAt(paths: readonly string[]): FileStream[] {
    return [...this.#collect(this.#byPlace, paths)];
  }

  /** Those at one of these paths, unless their path was seen without a file; and those of one of these originals. */
  related(paths: readonly string[], originals: readonly string[]): FileStream[] {
    const atPaths = [...this.#collect(this.#byPath, paths)].filter(
      (stream) => !stream.presence.pathWasAbsent,
    );
    return [...new Set([...atPaths, ...this.#collect(this.#byAnyName, originals)])];
  }

  #collect(index: ReadonlyMap<string, ReadonlySet<FileStream>>, keys: readonly string[]): Set<FileStream> {
    return new Set(keys.flatMap((key) => [...(index.get(key) ?? [])].filter(this.#isCurrent)));
  }
}

function put(index: Map<string, Set<FileStream>>, key: string, stream: FileStream): void {
  const streams = index.get(key);
  if (streams === undefined) index.set(key, new Set([stream]));
  else streams.add(stream);
}
