import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FilePlace } from '../files/file-access.ts';
import { isFileError } from '../files/file-error.ts';
import { canInflate } from '../files/inflate-file.ts';
import { originalPaths } from '../files/original-paths.ts';
import type { ArchivePlace, PathPatterns } from '../files/path-patterns.ts';
import { withoutCompression } from '../files/path-patterns.ts';
import { compareByAge } from '../files/rotation-names.ts';

const MAX_LISTINGS = 5;

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
  const directories = new Set([...places.directories, ...[...places.found].map((path) => dirname(path))]);
  const found: ArchiveFile[] = [];
  for (const directory of directories) found.push(...(await archivesIn(directory, patterns)));
  return found.sort((a, b) => compareByAge(plainly(a), plainly(b)));
}

/** Lists the directory again if a rotation has renamed files in the meantime. */
async function archivesIn(directory: string, patterns: PathPatterns): Promise<ArchiveFile[]> {
  let archives: ArchiveFile[] = [];
  for (let listings = 0; listings < MAX_LISTINGS; listings++) {
    const before = await changeOf(directory);
    const found = (await namesIn(directory)).map((name) => archiveAt(join(directory, name), patterns));
    archives = (await Promise.all(found)).filter((archive) => archive !== undefined);
    if (archives.length === 0 || (await changeOf(directory)) === before) break;
  }
  return archives;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter(canInflate);
  } catch (error) {
    if (!isFileError(error)) throw error;
    return [];
  }
}

async function changeOf(directory: string): Promise<bigint | undefined> {
  return (await stat(directory, { bigint: true }).catch(() => undefined))?.mtimeNs;
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
