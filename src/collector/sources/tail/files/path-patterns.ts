import { basename, resolve } from 'node:path';
import picomatch from 'picomatch';
import type { TailEntry } from './tail-configuration.ts';

/** A rotation compresses files that were read before. */
const COMPRESSED = /\.(gz|z|zst|zstd|xz|bz2?|lz4?|lzma|lzo|br|zip|7z|tgz|tbz2?|txz|tzst)$/i;

/** Decides which paths are read, and by which entry: the first entry that matches a path. */
export class PathPatterns {
  readonly patterns: readonly PathPattern[];
  readonly #entries: readonly {
    readonly entry: TailEntry;
    readonly matches: (path: string) => boolean;
    readonly excludes: (path: string) => boolean;
  }[];

  constructor(entries: readonly TailEntry[], workingDirectory: string) {
    const absolute = (globs: readonly string[]) =>
      globs.flatMap(expandBraces).map((glob) => resolve(workingDirectory, glob));
    this.#entries = entries.map((entry) => ({
      entry,
      matches: matcherOf(absolute(entry.paths)),
      excludes: excluderOf(entry.exclude, absolute),
    }));
    this.patterns = entries.flatMap((entry) =>
      absolute(entry.paths).map((glob) => ({ entry, glob, segments: segmentsOf(glob) })),
    );
  }

  classify(path: string): PathClass {
    let excludedBy: TailEntry | undefined;
    for (const { entry, matches, excludes } of this.#entries) {
      if (!matches(path)) continue;
      const suffix = COMPRESSED.exec(path)?.[0];
      if (suffix !== undefined) return { kind: 'compressed', suffix };
      if (!excludes(path)) return { kind: 'read', entry };
      excludedBy ??= entry;
    }
    return excludedBy === undefined ? { kind: 'no-pattern' } : { kind: 'excluded', entry: excludedBy };
  }

  /**
   * The entry that reads the content of an archive, and the path at which it was written: one of `homes`, or the name
   * without the ending if a pattern matches the archive itself. Undefined if there is none, or if it is excluded.
   */
  archiveOf(path: string, homes: readonly string[]): ArchivePlace | undefined {
    const plain = path.slice(0, path.lastIndexOf('.'));
    for (const home of [...homes, plain]) {
      const entry = this.entryFor(home);
      if (entry !== undefined) return this.#placeUnlessExcluded(path, { home, entry });
    }
    const own = this.#entries.find(({ matches }) => matches(path));
    return own && this.#placeUnlessExcluded(path, { home: plain, entry: own.entry });
  }

  #placeUnlessExcluded(path: string, place: ArchivePlace): ArchivePlace | undefined {
    const known = this.#entries.find(({ entry }) => entry === place.entry);
    return known?.excludes(path) === true ? undefined : place;
  }

  /** Whether this path, if it is a directory, may contain files that are read. */
  mayContain(path: string): boolean {
    const names = path.split('/').slice(1);
    return this.patterns.some(({ segments }) => leadsTo(segments, names));
  }

  entryFor(path: string): TailEntry | undefined {
    const result = this.classify(path);
    return result.kind === 'read' ? result.entry : undefined;
  }
}

export interface ArchivePlace {
  readonly home: string;
  readonly entry: TailEntry;
}

/** The name without the ending of a compressed file. */
export function withoutCompression(path: string): string {
  return path.replace(COMPRESSED, '');
}

export function isCompressed(path: string): boolean {
  return COMPRESSED.test(path);
}

/** One absolute glob of an entry, and its segments: literal names, or matchers of names. */
export interface PathPattern {
  readonly entry: TailEntry;
  readonly glob: string;
  readonly segments: readonly PathSegment[];
}

/** A string is a literal name, except `**`: any number of directories. */
export type PathSegment = string | ((name: string) => boolean);

export type PathClass =
  | { readonly kind: 'read'; readonly entry: TailEntry }
  | { readonly kind: 'no-pattern' }
  | { readonly kind: 'compressed'; readonly suffix: string }
  | { readonly kind: 'excluded'; readonly entry: TailEntry };

function leadsTo(segments: readonly PathSegment[], names: readonly string[]): boolean {
  for (const [index, name] of names.entries()) {
    const segment = segments[index];
    if (segment === '**') return true;
    if (segment === undefined) return false;
    if (typeof segment === 'string' ? segment !== name : !segment(name)) return false;
  }
  return names.length < segments.length;
}

/** A glob without a slash, `*.tmp`, excludes by name, in any directory. */
function excluderOf(
  globs: readonly string[],
  absolute: (globs: readonly string[]) => readonly string[],
): (path: string) => boolean {
  const ofPaths = matcherOf(absolute(globs.filter((glob) => glob.includes('/'))));
  const ofNames = matcherOf(globs.filter((glob) => !glob.includes('/')));
  return (path) => ofPaths(path) || ofNames(basename(path));
}

function matcherOf(globs: readonly string[]): (path: string) => boolean {
  return globs.length === 0 ? () => false : picomatch([...globs]);
}

function segmentsOf(glob: string): PathSegment[] {
  return glob
    .split('/')
    .slice(1)
    .map((segment) => {
      if (segment === '**') return segment;
      return picomatch.scan(segment).isGlob ? picomatch(segment) : segment.replaceAll(/\\(.)/g, '$1');
    });
}

/** The glob that matches only this path. */
export function globOfPath(path: string): string {
  return path.replaceAll(/[\\*?[\]{}()!+@|,]/g, '\\$&');
}

/**
 * `/a/{b,c/d}/e` as `/a/b/e` and `/a/c/d/e`: names are matched one by one, so braces must not contain
 * slashes.
 */
export function expandBraces(glob: string): string[] {
  const match = /^(.*?)(?<!\\)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(glob);
  if (match === null) return [glob];
  const [, before = '', choices = '', after = ''] = match;
  return [...new Set(choices.split(',').flatMap((choice) => expandBraces(before + choice + after)))];
}
