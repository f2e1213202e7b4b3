import type { FileStream } from '../reading/file-stream.ts';

/**
 * Streams, indexed by inode and by name: a file is compared only with the streams to which it may be related.
 */
export class StreamsByName {
  readonly #byInode = new Map<string, Set<FileStream>>();
  /** By the path, and by the target of a link. */
  readonly #byPath = new Map<string, Set<FileStream>>();
  /** By every path that the stream has or had. */
  readonly #byAnyName = new Map<string, Set<FileStream>>();
  /** By the path of the file itself. */
  readonly #byPlace = new Map<string, Set<FileStream>>();

  readonly #isCurrent: (stream: FileStream) => boolean;

  /** A lookup leaves out streams that are not `isCurrent` any more. */
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

  /**
   * The streams at one of these paths, unless the path was seen without a file; and the streams of these
   * originals.
   */
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
