import { constants, type Stats } from 'node:fs';
import { access, lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type PathPattern,
  PathPatterns,
  type PathSegment,
} from '../collector/sources/tail/files/path-patterns.ts';
import type { TailEntry } from '../collector/sources/tail/files/tail-configuration.ts';
import { fileErrorText } from './output/file-error-text.ts';
import { printable } from './output/text-table.ts';

/** The files that one glob of the configuration matches now. */
export interface TailMatches {
  readonly pattern: string;
  readonly files: readonly string[];
  /** More files match than are listed. */
  readonly isCut: boolean;
  /** Sentences that state why nothing matches, or which files cannot be read. */
  readonly problems: readonly string[];
}

const MAX_FILES = 1000;
const MAX_DIRECTORIES = 10_000;

const DANGLING = 'it is a symbolic link to a file that does not exist (ENOENT). Check where the link leads';

/** Finds the files of a configuration once, without reading them. */
export async function tailMatches(entries: readonly TailEntry[]): Promise<readonly TailMatches[]> {
  const patterns = new PathPatterns(entries, process.cwd());
  return await Promise.all(patterns.patterns.map((pattern) => new MatchWalk(pattern, patterns).matches()));
}

class MatchWalk {
  readonly #pattern: PathPattern;
  readonly #patterns: PathPatterns;
  readonly #files: string[] = [];
  readonly #problems: string[] = [];
  #directories = 0;

  constructor(pattern: PathPattern, patterns: PathPatterns) {
    this.#pattern = pattern;
    this.#patterns = patterns;
  }

  async matches(): Promise<TailMatches> {
    const { segments, glob } = this.#pattern;
    await this.#walk('/', segments);
    const isCut = this.#files.length >= MAX_FILES || this.#directories >= MAX_DIRECTORIES;
    if (this.#files.length === 0 && this.#problems.length === 0) {
      this.#problems.push(
        `${printable(glob)} matches no file. Check the path, and quote the glob in a shell.`,
      );
    }
    return { pattern: glob, files: this.#files.sort(), isCut, problems: this.#problems };
  }

  async #walk(directory: string, [segment, ...rest]: readonly PathSegment[]): Promise<void> {
    if (segment === undefined || this.#files.length >= MAX_FILES) return;
    if (segment === '**') await this.#walk(directory, rest);
    if (typeof segment === 'string' && segment !== '**') {
      await this.#visit(join(directory, segment), rest);
      return;
    }
    if (++this.#directories > MAX_DIRECTORIES) return;
    for (const entry of await this.#entriesOf(directory)) {
      const path = join(directory, entry.name);
      if (typeof segment === 'function') {
        if (segment(entry.name)) await this.#visit(path, rest);
      } else if (entry.isDirectory()) await this.#walk(path, [segment, ...rest]);
    }
  }

  async #visit(path: string, rest: readonly PathSegment[]): Promise<void> {
    try {
      const found = await stat(path);
      if (rest.length > 0) {
        if (found.isDirectory()) await this.#walk(path, rest);
        return;
      }
      const obstacle = this.#obstacleOf(path, found);
      if (obstacle === undefined) await this.#take(path);
      else this.#reportObstacle(path, obstacle);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.#report(path, error);
      else if (rest.length === 0 && (await isSymbolicLink(path))) this.#reportObstacle(path, DANGLING);
    }
  }

  /** Why it is not read, and what to do; undefined when it is read. */
  #obstacleOf(path: string, found: Stats): string | undefined {
    if (found.isDirectory()) return `it is a directory (EISDIR). Name its files: ${printable(path)}/*`;
    if (!found.isFile()) return 'it is not a regular file. Name a regular file';
    switch (this.#patterns.classify(path).kind) {
      case 'compressed':
        return 'its name ends like that of a compressed file. Decompress it';
      case 'excluded':
        return '"exclude" leaves it out. Change one of the two';
      case 'read':
      case 'no-pattern':
        return undefined;
    }
  }

  /** A glob may match such things besides files; a plain path to one is a mistake. */
  #reportObstacle(path: string, obstacle: string): void {
    if (this.#pattern.segments.every((segment) => typeof segment === 'string'))
      this.#problems.push(`Cannot read ${printable(path)}: ${obstacle}.`);
  }

  async #take(path: string): Promise<void> {
    await access(path, constants.R_OK);
    this.#files.push(path);
  }

  async #entriesOf(directory: string) {
    try {
      return await readdir(directory, { withFileTypes: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#report(directory, error);
      return [];
    }
  }

  #report(path: string, error: unknown): void {
    this.#problems.push(`Cannot read ${printable(path)}: ${fileErrorText(error)}`);
  }
}

async function isSymbolicLink(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isSymbolicLink() === true;
}
