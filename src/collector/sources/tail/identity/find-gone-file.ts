import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import { isFileError } from '../files/file-error.ts';
import { readGzipContent } from '../files/gzip-file.ts';
import { originalPaths } from '../files/original-paths.ts';
import type { DormantStream } from './dormant-streams.ts';

/** Finds out whether the file of a stream was compressed in its directory, or deleted. */
export async function findGoneFile(dormant: DormantStream): Promise<GoneFile> {
  const { checkpoint } = dormant;
  const position = checkpoint.marks.at(-1)?.[0] ?? 0;
  for (const path of await compressedBeside(checkpoint)) {
    const sizeBytes = await sizeIfSame(path, checkpoint);
    if (sizeBytes !== undefined && sizeBytes >= position)
      return { dormant, unreadBytes: sizeBytes - position, compressedTo: path };
  }
  const seen = Math.max(0, (checkpoint.sizeBytes ?? position) - position);
  const mayHaveGrown = seen === 0 && !checkpoint.yielded;
  return { dormant, unreadBytes: mayHaveGrown ? undefined : seen, compressedTo: undefined };
}

/** A stream whose file was gone at the start. `unreadBytes` is undefined when its number cannot be known. */
export interface GoneFile {
  readonly dormant: DormantStream;
  readonly unreadBytes: number | undefined;
  /** The compressed file that has its content. */
  readonly compressedTo: string | undefined;
}

/** Compressed files with a name that a rotation makes of a name of the stream. */
async function compressedBeside({ path, home, lineage }: FileCheckpoint): Promise<string[]> {
  const names = new Set([path, home, lineage].map((name) => basename(name)));
  const directory = dirname(path);
  try {
    return (await readdir(directory))
      .filter((name) => name.endsWith('.gz'))
      .map((name) => join(directory, name))
      .filter((file) => {
        const plain = file.slice(0, -'.gz'.length);
        return [plain, ...originalPaths(plain)].some((original) => names.has(basename(original)));
      });
  } catch (error) {
    if (!isFileError(error)) throw error;
    return [];
  }
}

/** The uncompressed size of a gzip file that begins with the same bytes as the stream. */
async function sizeIfSame(path: string, { prefix }: FileCheckpoint): Promise<number | undefined> {
  const content = await readGzipContent(path);
  return content !== undefined && prefix.length > 0 && content.beginning.matches(prefix)
    ? content.sizeBytes
    : undefined;
}
