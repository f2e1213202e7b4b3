import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFileError } from './file-error.ts';

/**
 * The last listings are kept: when hundreds of files in a directory are renamed, the directory is listed
 * once.
 */
const MAX_LISTINGS = 8;
const MAX_NAMES = 100_000;

/**
 * Finds files by their inodes. A kept listing may be out of date, so the caller verifies the result. A file
 * is reported as missing only after a new listing.
 */
export class DirectoryInodes {
  readonly #listings = new Map<string, ReadonlyMap<string, string>>();

  /** Paths in the directory where the file may be. The last one is the best. */
  async *find(directory: string, inode: string): AsyncIterable<string> {
    const known = this.#listings.get(directory)?.get(inode);
    if (known !== undefined) yield known;
    const found = (await this.list(directory)).get(inode);
    if (found !== undefined) yield found;
  }

  /** The paths of the regular files in the directory, by their inodes. */
  async list(directory: string): Promise<ReadonlyMap<string, string>> {
    const listing = await inodesIn(directory);
    this.#listings.delete(directory);
    if (listing.size <= MAX_NAMES) this.#listings.set(directory, listing);
    const [oldest] = this.#listings.keys();
    if (this.#listings.size > MAX_LISTINGS && oldest !== undefined) this.#listings.delete(oldest);
    return listing;
  }
}

async function inodesIn(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  try {
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const state = await stat(path, { bigint: true }).catch(() => undefined);
      if (state?.isFile()) found.set(String(state.ino), path);
    }
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
  return found;
}
