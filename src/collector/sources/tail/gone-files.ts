import { open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { originalPaths } from './derived-names.ts';
import type { DormantStream } from './dormant-streams.ts';
import type { FileCheckpoint } from './file-checkpoint.ts';
import { isFileError } from './file-error.ts';
import { Head, readBytes } from './file-identity.ts';

/** So much of a compressed file is enough to compare its beginning. */
const COMPRESSED_HEAD_BYTES = 16 * 1024;

/** A stream whose file was gone at the start, and how many of its bytes were not read; undefined when nothing shows it. */
export interface GoneFile {
  readonly dormant: DormantStream;
  readonly unreadBytes: number | undefined;
  /** Where the file was compressed to. */
  readonly compressedTo: string | undefined;
}

/** What became of the file of a stream that was not found again: compressed beside its place, or deleted. */
export async function findGone(dormant: DormantStream): Promise<GoneFile> {
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

/** Files that a rotation makes of the stream's names and compresses. */
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

/** The uncompressed size of a gzip file that begins like the stream; it is in the last four bytes. */
async function sizeIfSame(path: string, { prefix }: FileCheckpoint): Promise<number | undefined> {
  try {
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      const head = gunzipSync(await readBytes(handle, 0, Math.min(size, COMPRESSED_HEAD_BYTES)), {
        finishFlush: constants.Z_SYNC_FLUSH,
      });
      if (prefix.length === 0 || !new Head(head).matches(prefix)) return undefined;
      return (await readBytes(handle, size - 4, size)).readUInt32LE();
    } finally {
      await handle.close();
    }
  } catch {
    // Not there any more, not for us, or no gzip file.
    return undefined;
  }
}
