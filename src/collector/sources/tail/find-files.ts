import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FilePlace } from './file-access.ts';
import { isFileError } from './file-access.ts';
import type { PathPattern, PathPatterns, PathSegment } from './path-patterns.ts';
import type { TailEntry } from './tail-configuration.ts';

/** `**` goes no deeper: a bound for links that lead in circles. */
const MAX_DEPTH = 32;

/** A regular file that stands under a path that is to be read. */
export interface FoundFile extends FilePlace {
  readonly entry: TailEntry;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
  /** Where the file itself is, when the path is a symbolic link. */
  readonly target: string | undefined;
}

export interface FoundFiles {
  /** In the order of their paths. One file may be found under several. */
  readonly files: readonly FoundFile[];
  /** The directories in which something may change that matters. */
  readonly directories: ReadonlySet<string>;
  /** Directories that could not be looked into; what is in them is unknown, not gone. */
  readonly blind: ReadonlySet<string>;
  /** Files and directories that are listed and cannot be opened by their name: it is not UTF-8. */
  readonly unnameable: ReadonlySet<string>;
}

/** Looks for all files of the patterns. */
export async function findFiles(patterns: PathPatterns): Promise<FoundFiles> {
  const walk = new Walk(patterns);
  for (const pattern of patterns.patterns) await walk.follow(pattern);
  const files = [...walk.files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, directories: walk.directories, blind: walk.blind, unnameable: walk.unnameable };
}

class Walk {
  readonly files = new Map<string, FoundFile>();
  readonly directories = new Set<string>();
  readonly blind = new Set<string>();
  readonly unnameable = new Set<string>();
  readonly #patterns: PathPatterns;

  constructor(patterns: PathPatterns) {
    this.#patterns = patterns;
  }

  follow({ segments }: PathPattern): Promise<void> {
    return this.#visit('/', segments, 0);
  }

  async #visit(directory: string, segments: readonly PathSegment[], depth: number): Promise<void> {
    const [segment, ...rest] = segments;
    if (segment === undefined || depth > MAX_DEPTH) return;
    if (segment === '**') return this.#visitAnyDepth(directory, rest, depth);
    if (typeof segment !== 'string') return this.#visitMatching(directory, segment, rest, depth);
    const path = join(directory, segment);
    if (rest.length === 0) return this.#take(path, undefined);
    return this.#visit(path, rest, depth + 1);
  }

  async #visitMatching(
    directory: string,
    matches: (name: string) => boolean,
    rest: readonly PathSegment[],
    depth: number,
  ): Promise<void> {
    for (const child of await this.#list(directory)) {
      if (!matches(child.name)) continue;
      const path = join(directory, child.name);
      if (rest.length === 0) await this.#take(path, child);
      else if (child.isDirectory() || child.isSymbolicLink()) await this.#visit(path, rest, depth + 1);
    }
  }

  async #visitAnyDepth(directory: string, rest: readonly PathSegment[], depth: number): Promise<void> {
    await this.#visit(directory, rest.length === 0 ? [() => true] : rest, depth);
    for (const child of await this.#list(directory)) {
      if (child.name.startsWith('.') || !child.isDirectory()) continue;
      await this.#visit(join(directory, child.name), ['**', ...rest], depth + 1);
    }
  }

  async #list(directory: string): Promise<Dirent[]> {
    try {
      const children = await readdir(directory, { withFileTypes: true });
      this.directories.add(directory);
      return children;
    } catch (error) {
      this.#noteName(directory, error);
      await this.#missed(directory, error);
      return [];
    }
  }

  async #take(path: string, child: Dirent | undefined): Promise<void> {
    if (child !== undefined && !child.isFile() && !child.isSymbolicLink()) return;
    const entry = this.#patterns.entryFor(path);
    if (entry === undefined || this.files.has(path)) return;
    try {
      const found = await stat(path, { bigint: true });
      this.directories.add(dirname(path));
      if (!found.isFile()) return;
      const isLink = child?.isSymbolicLink() ?? (await lstat(path)).isSymbolicLink();
      const target = isLink ? await realpath(path) : undefined;
      if (target !== undefined) this.directories.add(dirname(target));
      this.files.set(path, foundFile(path, found, entry, target));
    } catch (error) {
      this.#noteName(path, error);
      await this.#missed(dirname(path), error);
    }
  }

  /** What Node puts in place of bytes that are not UTF-8 leads to no file. */
  #noteName(path: string, error: unknown): void {
    if (path.includes('\ufffd') && isFileError(error) && error.code === 'ENOENT') this.unnameable.add(path);
  }

  /** Something is not there, or not for us: the nearest directory that is there tells when that changes. */
  async #missed(directory: string, error: unknown): Promise<void> {
    if (!isFileError(error)) throw error;
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') this.blind.add(directory);
    for (let path = directory; ; path = dirname(path)) {
      const found = await stat(path).catch(() => undefined);
      if (found?.isDirectory()) {
        this.directories.add(path);
        return;
      }
      if (path === '/') return;
    }
  }
}

function foundFile(
  path: string,
  found: BigIntStats,
  entry: TailEntry,
  target: string | undefined,
): FoundFile {
  return {
    path,
    entry,
    target,
    device: String(found.dev),
    inode: String(found.ino),
    sizeBytes: Number(found.size),
    modifiedUnixMs: Number(found.mtimeMs),
  };
}
