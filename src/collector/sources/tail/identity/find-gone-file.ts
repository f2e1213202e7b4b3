import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import { isFileError } from '../files/file-error.ts';
import { readFilePrefix } from '../files/file-prefix.ts';
import { readGzipContent } from '../files/gzip-file.ts';
import { originalPaths } from '../files/original-paths.ts';
import type { DormantStream } from './dormant-streams.ts';
import { hasAllBytes } from './same-file.ts';

/**
 * Finds out what happened to the file of a stream: it was compressed, copied or deleted, or it has other bytes.
 * The unread bytes of a copy that was written after `sinceUnixMs` are those of an unread generation.
 */
export async function findGoneFile(
  dormant: DormantStream,
  sinceUnixMs = Number.POSITIVE_INFINITY,
): Promise<GoneFile> {
  const { checkpoint } = dormant;
  const position = checkpoint.marks.at(-1)?.[0] ?? 0;
  const state = await stateOf(checkpoint);
  for (const path of await rotatedBeside(checkpoint)) {
    const same = path.endsWith('.gz') ? await gzipOf(path, checkpoint) : await copyOf(path, checkpoint);
    if (same === undefined || same.sizeBytes < position) continue;
    if ((same.modifiedUnixMs ?? 0) > sinceUnixMs)
      return { dormant, state, unreadBytes: 0, rotatedTo: undefined };
    return { dormant, state, unreadBytes: same.sizeBytes - position, rotatedTo: path };
  }
  const seen = Math.max(0, (checkpoint.sizeBytes ?? position) - position);
  const mayHaveGrown = seen === 0 && !checkpoint.yielded;
  return { dormant, state, unreadBytes: mayHaveGrown ? undefined : seen, rotatedTo: undefined };
}

/**
 * A stream whose bytes were not found at the start. `unreadBytes` is undefined when its number cannot be known.
 */
export interface GoneFile {
  readonly dormant: DormantStream;
  readonly state: GoneState;
  readonly unreadBytes: number | undefined;
  /** The compressed file or the copy that has its content. */
  readonly rotatedTo: string | undefined;
}

/**
 * `missing`: no file is at its path. `replaced`: another file is there. `rewritten`: the file is there, and has
 * other bytes. `unreadable`: the file is there, and cannot be opened.
 */
export type GoneState = 'missing' | 'replaced' | 'rewritten' | 'unreadable';

async function stateOf({ path, inode, birth }: FileCheckpoint): Promise<GoneState> {
  let handle: FileHandle | undefined;
  try {
    const found = await stat(path, { bigint: true });
    const isSame =
      String(found.ino) === inode && (birth === undefined || String(found.birthtimeNs) === birth);
    if (!found.isFile() || !isSame) return 'replaced';
    handle = await open(path);
    return 'rewritten';
  } catch (error) {
    if (!isFileError(error)) throw error;
    return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 'missing' : 'unreadable';
  } finally {
    await handle?.close();
  }
}

/** Files with a name that a rotation makes of a name of the stream: compressed files, and others. */
async function rotatedBeside({ path, home, lineage, target }: FileCheckpoint): Promise<string[]> {
  const names = new Set([path, home, lineage, target ?? path].map((name) => basename(name)));
  const directory = dirname(target ?? path);
  try {
    return (await readdir(directory))
      .map((name) => join(directory, name))
      .filter((file) => {
        const plain = file.endsWith('.gz') ? file.slice(0, -'.gz'.length) : file;
        const originals = plain === file ? originalPaths(plain) : [plain, ...originalPaths(plain)];
        return originals.some((original) => names.has(basename(original)));
      });
  } catch (error) {
    if (!isFileError(error)) throw error;
    return [];
  }
}

interface SameContent {
  readonly sizeBytes: number;
  readonly modifiedUnixMs?: number;
}

/** A file that has all bytes of the stream. */
async function copyOf(path: string, known: FileCheckpoint): Promise<SameContent | undefined> {
  let handle: FileHandle | undefined;
  try {
    const state = await stat(path);
    if (!state.isFile()) return undefined;
    handle = await open(path);
    const beginning = await readFilePrefix(handle);
    const isCopy = await hasAllBytes(known, { handle, beginning });
    return isCopy ? { sizeBytes: state.size, modifiedUnixMs: state.mtimeMs } : undefined;
  } catch (error) {
    if (!isFileError(error)) throw error;
    return undefined;
  } finally {
    await handle?.close();
  }
}

/** A gzip file that begins with the same bytes as the stream. */
async function gzipOf(path: string, { prefix }: FileCheckpoint): Promise<SameContent | undefined> {
  const content = await readGzipContent(path);
  return content !== undefined && prefix.length > 0 && content.beginning.matches(prefix)
    ? { sizeBytes: content.sizeBytes }
    : undefined;
}
