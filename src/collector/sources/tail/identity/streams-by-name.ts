import type { FileStream } from '../reading/file-stream.ts';

/**
 * Streams, indexed by inode and by name: a file is compared only with the streams to which it may be related.
 */
export class StreamsByName {
  readonly #byInode = new Map<string, OneOrMore>();
  /** By the path, and by the target of a link. */
  readonly #byPath = new Map<string, OneOrMore>();
  /** By every path that the stream has or had. */
  readonly #byAnyName = new Map<string, OneOrMore>();
  /** By the path of the file itself. */
  readonly #byPlace = new Map<string, OneOrMore>();

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

  #collect(index: ReadonlyMap<string, OneOrMore>, keys: readonly string[]): Set<FileStream> {
    return new Set(keys.flatMap((key) => [index.get(key) ?? []].flat().filter(this.#isCurrent)));
  }
}

/** Most names have one stream. A set for each would need 10 MB for 10,000 files. */
type OneOrMore = FileStream | FileStream[];

function put(index: Map<string, OneOrMore>, key: string, stream: FileStream): void {
  const found = index.get(key);
  if (found === undefined) index.set(key, stream);
  else if (!Array.isArray(found)) index.set(key, found === stream ? stream : [found, stream]);
  // A stream is added at once under all of its names.
  else if (found.at(-1) !== stream) found.push(stream);
}
