import { type BigIntStats, type Dirent, statSync } from 'node:fs';
import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate as otherWork } from 'node:timers/promises';
import type { FilePlace } from './file-access.ts';
import { isFileError } from './file-error.ts';
import { canInflate } from './inflate-file.ts';
import { isLocalDirectory } from './local-file-systems.ts';
import type { PathPattern, PathPatterns, PathSegment } from './path-patterns.ts';
import type { TailEntry } from './tail-configuration.ts';

/** Maximum depth of `**`: a limit for links in a circle. */
const MAX_DEPTH = 32;
/** The number of links that the kernel follows for one path. */
const MAX_HOPS = 40;
/** After this number of synchronous calls, other work has its turn. */
const CALLS_AT_ONCE = 32;

/** Finds all files that match the patterns. */
export async function findFiles(patterns: PathPatterns): Promise<FoundFiles> {
  const walk = new DirectoryWalk(patterns);
  for (const pattern of patterns.patterns) await walk.follow(pattern);
  const files = [...walk.files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    files,
    directories: walk.directories,
    unreadableDirectories: walk.unreadableDirectories,
    nonUtf8Paths: walk.nonUtf8Paths,
    archives: walk.archives,
    brokenLinks: walk.brokenLinks,
  };
}

/** A regular file under a path that is read. */
export interface FoundFile extends FilePlace {
  readonly entry: TailEntry;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
  /**
   * The time of creation in nanoseconds, as Node returns it: also where the file system does not record it.
   */
  readonly birthNs: string;
}

export interface FoundFiles {
  /** In the order of their paths. One file may be found under several paths. */
  readonly files: readonly FoundFile[];
  /** The directories in which a change may matter. */
  readonly directories: ReadonlySet<string>;
  /** Directories that cannot be read. Their files are unknown, not gone. */
  readonly unreadableDirectories: ReadonlySet<string>;
  /** Files and directories that cannot be opened, because their name is not UTF-8. */
  readonly nonUtf8Paths: ReadonlySet<string>;
  /** Compressed files in the directories that were listed. */
  readonly archives: ReadonlySet<string>;
  /** Symbolic links whose target does not exist. None of the directories reports when it is created. */
  readonly brokenLinks: ReadonlySet<string>;
}

class DirectoryWalk {
  readonly files = new Map<string, FoundFile>();
  readonly directories = new Set<string>();
  readonly unreadableDirectories = new Set<string>();
  readonly nonUtf8Paths = new Set<string>();
  readonly archives = new Set<string>();
  readonly brokenLinks = new Set<string>();
  readonly #patterns: PathPatterns;
  /** The real paths of directories, by their paths with symbolic links. */
  readonly #real = new Map<string, string>();
  /** Whether the directory that was listed last is local. */
  #lastListed: { readonly directory: string; readonly isLocal: boolean } | undefined;
  #synchronousCalls = 0;

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
    if (rest.length === 0) return this.#add(path, undefined);
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
      if (rest.length === 0) await this.#add(path, child);
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
      for (const { name } of children) if (canInflate(name)) this.archives.add(join(directory, name));
      return children;
    } catch (error) {
      this.#noteName(directory, error);
      await this.#missed(directory, error);
      return [];
    }
  }

  async #add(path: string, child: Dirent | undefined): Promise<void> {
    if (child !== undefined && !child.isFile() && !child.isSymbolicLink()) return;
    const entry = this.#patterns.entryFor(path);
    if (entry === undefined || this.files.has(path)) return;
    try {
      const found = await this.#stateOf(path, child);
      this.directories.add(dirname(path));
      if (!found.isFile()) return;
      const isLink = child?.isSymbolicLink() ?? (await lstat(path)).isSymbolicLink();
      const target = isLink ? await this.#follow(path) : await this.#withoutLinks(path);
      this.files.set(path, foundFile(path, found, entry, target));
    } catch (error) {
      this.#noteName(path, error);
      await this.#noteBrokenLink(path);
      await this.#missed(dirname(path), error);
    }
  }

  /**
   * A synchronous call needs a tenth of the CPU time. A file without a link, in a local directory, does not
   * wait for a network.
   */
  async #stateOf(path: string, child: Dirent | undefined): Promise<BigIntStats> {
    if (!child?.isFile() || !(await this.#isLocal(dirname(path)))) return stat(path, { bigint: true });
    if (++this.#synchronousCalls % CALLS_AT_ONCE === 0) await otherWork();
    return statSync(path, { bigint: true });
  }

  async #isLocal(directory: string): Promise<boolean> {
    if (this.#lastListed?.directory !== directory)
      this.#lastListed = { directory, isLocal: await isLocalDirectory(directory) };
    return this.#lastListed.isLocal;
  }

  /** The target of a link. Each link on the way may be changed, so its directory is watched. */
  async #follow(link: string): Promise<string> {
    const target = await realpath(link);
    this.directories.add(dirname(target));
    for (let path = link, hops = 0; path !== target && hops < MAX_HOPS; hops++) {
      await this.#withoutLinks(path);
      this.directories.add(dirname(path));
      const next = await readlink(path).catch(() => undefined);
      if (next === undefined) break;
      path = resolve(dirname(path), next);
    }
    return target;
  }

  /** The path of the file itself, when one of its directories is a link; undefined when none is. */
  async #withoutLinks(path: string): Promise<string | undefined> {
    const directory = dirname(path);
    const real = await this.#realDirectory(directory);
    if (real === directory) return undefined;
    this.directories.add(real);
    return join(real, basename(path));
  }

  async #realDirectory(directory: string): Promise<string> {
    const known = this.#real.get(directory);
    if (known !== undefined) return known;
    const real = await realpath(directory);
    this.#real.set(directory, real);
    const parent = dirname(directory);
    if (real === directory || parent === directory) return real;
    // The target of the link may change: that is reported in the directory of the link.
    this.directories.add(parent);
    await this.#realDirectory(parent);
    return real;
  }

  /** Node replaces bytes that are not UTF-8, and no file has the resulting name. */
  #noteName(path: string, error: unknown): void {
    if (path.includes('\ufffd') && isFileError(error) && error.code === 'ENOENT') this.nonUtf8Paths.add(path);
  }

  /**
   * A path does not exist or is not permitted: the nearest directory that exists reports when that changes.
   */
  async #missed(directory: string, error: unknown): Promise<void> {
    if (!isFileError(error)) throw error;
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') this.unreadableDirectories.add(directory);
    for (let path = directory; ; path = dirname(path)) {
      const found = await stat(path).catch(() => undefined);
      if (found?.isDirectory()) {
        this.directories.add(path);
        return;
      }
      if (found === undefined) await this.#noteBrokenLink(path);
      if (path === '/') return;
    }
  }

  async #noteBrokenLink(path: string): Promise<void> {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink()) this.brokenLinks.add(path);
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
    ...(target === undefined ? {} : { target }),
    device: String(found.dev),
    inode: String(found.ino),
    sizeBytes: Number(found.size),
    modifiedUnixMs: Number(found.mtimeMs),
    birthNs: String(found.birthtimeNs),
  };
}
