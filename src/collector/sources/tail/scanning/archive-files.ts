import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilePlace } from '../files/file-access.ts';
import { isFileError } from '../files/file-error.ts';
import { canInflate } from '../files/inflate-file.ts';
import { originalPaths } from '../files/original-paths.ts';
import type { ArchivePlace, PathPatterns } from '../files/path-patterns.ts';
import { withoutCompression } from '../files/path-patterns.ts';
import { compareByAge } from '../files/rotation-names.ts';

/** A compressed file beside a log. */
export interface ArchiveFile extends FilePlace {
  /** The name without the ending, and the paths of logs from which a rotation may have made that name. */
  readonly names: readonly string[];
  /** Undefined when no entry reads it. */
  readonly written: ArchivePlace | undefined;
  readonly birthNs: string;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
}

/**
 * The archives in the directories of known files, and those that the patterns found. The oldest of each log comes first.
 */
export async function findArchives(
  patterns: PathPatterns,
  places: { readonly directories: Iterable<string>; readonly found: Iterable<string> },
): Promise<readonly ArchiveFile[]> {
  const paths = new Set(places.found);
  for (const directory of places.directories) for (const path of await archivesIn(directory)) paths.add(path);
  const found: ArchiveFile[] = [];
  for (const path of paths) {
    const archive = await archiveAt(path, patterns);
    if (archive !== undefined) found.push(archive);
  }
  return found.sort((a, b) => compareByAge(plainly(a), plainly(b)));
}

async function archivesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter(canInflate).map((name) => join(directory, name));
  } catch (error) {
    if (!isFileError(error)) throw error;
    return [];
  }
}

async function archiveAt(path: string, patterns: PathPatterns): Promise<ArchiveFile | undefined> {
  const state = await stat(path, { bigint: true }).catch(() => undefined);
  if (!state?.isFile()) return undefined;
  const plain = withoutCompression(path);
  const originals = originalPaths(plain);
  return {
    path,
    names: [...originals, plain],
    written: patterns.archiveOf(path, originals),
    device: String(state.dev),
    inode: String(state.ino),
    birthNs: String(state.birthtimeNs),
    sizeBytes: Number(state.size),
    modifiedUnixMs: Number(state.mtimeMs),
  };
}

function plainly({ path, modifiedUnixMs }: ArchiveFile): {
  readonly path: string;
  readonly modifiedUnixMs: number;
} {
  return { path: withoutCompression(path), modifiedUnixMs };
}
