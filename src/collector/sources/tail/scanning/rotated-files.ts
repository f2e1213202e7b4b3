import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FilePlace } from '../files/file-access.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import { isFileError } from '../files/file-error.ts';
import { originalPaths } from '../files/original-paths.ts';
import { isCompressed, type PathPatterns } from '../files/path-patterns.ts';

/** Above this number, the names are computed again. */
const MAX_REMEMBERED_NAMES = 100_000;

/**
 * A file beside a followed log, with a name that a rotation makes of the log's name, and that no stream reads
 * because it is compressed or no pattern matches it. Excluded files are left out.
 */
export interface RotatedFile extends FilePlace {
  /** The paths of followed logs from which a rotation may have made it. */
  readonly originals: readonly string[];
  readonly birthNs: string;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
}

/** Finds the rotated files of followed logs. */
export class RotatedFiles {
  readonly #patterns: PathPatterns;
  readonly #originals = new Map<string, readonly string[]>();

  constructor(patterns: PathPatterns) {
    this.#patterns = patterns;
  }

  async *find(known: Iterable<FileNames>): AsyncIterable<RotatedFile> {
    for (const [directory, names] of namesByDirectory(known)) {
      for (const path of await this.#pathsIn(directory, names)) {
        const file = await stat(path, { bigint: true }).catch(() => undefined);
        if (!file?.isFile()) continue;
        yield {
          path,
          originals: this.#originalsOf(path).filter((original) => names.has(original)),
          device: String(file.dev),
          inode: String(file.ino),
          birthNs: String(file.birthtimeNs),
          sizeBytes: Number(file.size),
          modifiedUnixMs: Number(file.mtimeMs),
        };
      }
    }
  }

  async #pathsIn(directory: string, names: ReadonlySet<string>): Promise<string[]> {
    const isRotated = (path: string) =>
      !names.has(path) && this.#originalsOf(path).some((original) => names.has(original));
    try {
      const paths = (await readdir(directory)).map((name) => join(directory, name));
      return paths.filter((path) => isRotated(path) && this.#isLeftOut(path)).sort();
    } catch (error) {
      if (!isFileError(error)) throw error;
      return [];
    }
  }

  #isLeftOut(path: string): boolean {
    return ['compressed', 'no-pattern'].includes(this.#patterns.classify(path).kind);
  }

  #originalsOf(path: string): readonly string[] {
    const known = this.#originals.get(path);
    if (known !== undefined) return known;
    if (this.#originals.size >= MAX_REMEMBERED_NAMES) this.#originals.clear();
    const plain = isCompressed(path) ? path.slice(0, path.lastIndexOf('.')) : path;
    const originals = originalPaths(plain);
    this.#originals.set(path, originals);
    return originals;
  }
}

/** The paths of followed logs, grouped by the directories of their rotated files. */
function namesByDirectory(known: Iterable<FileNames>): Map<string, Set<string>> {
  const directories = new Map<string, Set<string>>();
  for (const names of known) {
    for (const name of namesOf(names)) {
      const directory = dirname(name);
      directories.set(directory, (directories.get(directory) ?? new Set()).add(name));
    }
  }
  return directories;
}

/** All names that the file of a stream has or had. */
export type FileNames = Pick<FileCheckpoint, 'path' | 'home' | 'lineage' | 'target'>;

export function namesOf({ path, home, lineage, target }: FileNames): ReadonlySet<string> {
  return new Set([path, home, lineage, target ?? path]);
}
