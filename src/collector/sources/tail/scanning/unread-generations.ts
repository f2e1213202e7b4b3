import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import { checksumOf } from '../files/file-contents.ts';
import { isFileError } from '../files/file-error.ts';
import { readFilePrefix } from '../files/file-prefix.ts';
import { readGzipContent } from '../files/gzip-file.ts';
import { originalPaths } from '../files/original-paths.ts';
import { isCompressed, type PathPatterns } from '../files/path-patterns.ts';

/** Maximum number of files that are examined at one start. */
const MAX_EXAMINED = 1_000;

/**
 * Finds generations of followed logs that were written while the collector was not running and that it does
 * not read, because they are compressed or no pattern matches their names. A file that a stream has read in
 * full is recognized by the CRC-32 of its content, which a gzip file has at its end.
 */
export async function findUnreadGenerations(options: UnreadGenerationsOptions): Promise<UnreadGeneration[]> {
  const found: UnreadGeneration[] = [];
  let examined = 0;
  for (const [directory, names] of namesByDirectory(options.known)) {
    for (const path of await rotatedFilesIn(directory, names, options.patterns)) {
      const file = await stat(path, { bigint: true }).catch(() => undefined);
      if (!file?.isFile() || Number(file.mtimeMs) <= options.sinceUnixMs || file.size === 0n) continue;
      if (options.isAccountedFor({ path, inode: String(file.ino) })) continue;
      if (++examined > MAX_EXAMINED) return found;
      const content = await contentOf(path, options.known);
      if (!content.isRead) found.push({ path, sizeBytes: content.sizeBytes });
    }
  }
  return found;
}

/** A rotated file beside a followed one, whose content no stream has read. */
export interface UnreadGeneration {
  readonly path: string;
  /** The uncompressed size; undefined when it cannot be known. */
  readonly sizeBytes: number | undefined;
}

export interface UnreadGenerationsOptions {
  /** The checkpoints of all known streams. */
  readonly known: readonly FileCheckpoint[];
  readonly patterns: PathPatterns;
  /** Only files that were written after this time are examined. */
  readonly sinceUnixMs: number;
  /** True for files that streams follow, and for compressed files of known streams. */
  readonly isAccountedFor: (file: { readonly path: string; readonly inode: string }) => boolean;
}

/** The paths of followed logs, grouped by the directories of their rotated files. */
function namesByDirectory(known: readonly FileCheckpoint[]): Map<string, Set<string>> {
  const directories = new Map<string, Set<string>>();
  for (const { path, home, lineage, target } of known) {
    for (const name of [path, home, lineage, target ?? path]) {
      const names = directories.get(dirname(name)) ?? new Set();
      directories.set(dirname(name), names.add(name));
    }
  }
  return directories;
}

/**
 * Files with a name that a rotation makes of one of `names`, and that are not read. Excluded files are left
 * out.
 */
async function rotatedFilesIn(
  directory: string,
  names: ReadonlySet<string>,
  patterns: PathPatterns,
): Promise<string[]> {
  const isRotated = (path: string) => {
    const plain = isCompressed(path) ? path.slice(0, path.lastIndexOf('.')) : path;
    return originalPaths(plain).some((original) => names.has(original));
  };
  const isLeftOut = (path: string) => ['compressed', 'no-pattern'].includes(patterns.classify(path).kind);
  try {
    const paths = (await readdir(directory)).map((name) => join(directory, name));
    return paths.filter((path) => !names.has(path) && isRotated(path) && isLeftOut(path)).sort();
  } catch (error) {
    if (!isFileError(error)) throw error;
    return [];
  }
}

interface Content {
  readonly isRead: boolean;
  readonly sizeBytes: number | undefined;
}

async function contentOf(path: string, known: readonly FileCheckpoint[]): Promise<Content> {
  if (!isCompressed(path)) return plainContentOf(path, known);
  const content = await readGzipContent(path);
  if (content === undefined) return { isRead: false, sizeBytes: undefined };
  const { beginning, sizeBytes, crc32 } = content;
  const isRead = known.some((checkpoint) => {
    const [position, , known32] = checkpoint.marks.at(-1) ?? [0, ''];
    if (position !== sizeBytes || !beginning.matches(checkpoint.prefix)) return false;
    // Without a checksum from the beginning of the file, its size and its beginning are the evidence.
    return checkpoint.checksumFrom !== 0 || known32 === crc32;
  });
  return { isRead, sizeBytes };
}

/** A copy may have more bytes than were read of the original. */
async function plainContentOf(path: string, known: readonly FileCheckpoint[]): Promise<Content> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const { size } = await handle.stat();
    const readBytes = await readPartOf(handle, size, known);
    return { isRead: readBytes === size, sizeBytes: size - readBytes };
  } catch (error) {
    if (!isFileError(error)) throw error;
    return { isRead: false, sizeBytes: undefined };
  } finally {
    await handle?.close();
  }
}

/** The number of bytes at the beginning of the file that a stream has read; 0 when no stream has read any. */
async function readPartOf(
  handle: FileHandle,
  sizeBytes: number,
  known: readonly FileCheckpoint[],
): Promise<number> {
  const beginning = await readFilePrefix(handle);
  let readBytes = 0;
  for (const { marks, prefix, checksumFrom } of known) {
    const [position, , crc32] = marks.at(-1) ?? [0, ''];
    if (position <= readBytes || position > sizeBytes || !beginning.matches(prefix)) continue;
    const isSame = checksumFrom !== 0 || (await checksumOf(handle, { start: 0, end: position })) === crc32;
    if (isSame) readBytes = position;
  }
  return readBytes;
}
