import { constants } from 'node:fs';
import { access, lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { readBeginning } from '../../runtime/files/read-beginning.ts';

/** Entries of all directories together. */
const MAX_ENTRIES = 10_000;
const MAX_ENTRIES_OF_DIRECTORY = 2000;
const MAX_TEXT_BYTES = 256 * 1024;

export interface MachineEntry {
  readonly name: string;
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
}

/**
 * Reads files below a root, with limits. Symbolic links are not followed, so that no look leaves the root or runs in a
 * circle; only regular files are opened, so that no FIFO blocks.
 */
export class MachineFiles {
  readonly #root: string;
  #entries = 0;
  #endedEarly: string | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  get endedEarly(): string | undefined {
    return this.#endedEarly;
  }

  /** The entries of a directory, sorted by name. Empty if there is no such directory; rejects if it cannot be read. */
  async list(path: string): Promise<readonly MachineEntry[]> {
    const found: MachineEntry[] = [];
    const directory = await opendir(this.#at(path)).catch(undefinedIfAbsent);
    if (directory === undefined) return found;
    // The iteration closes the directory.
    for await (const entry of directory) {
      if (this.#entries >= MAX_ENTRIES) {
        this.#endedEarly = `after ${MAX_ENTRIES} files and directories`;
        break;
      }
      if (found.length >= MAX_ENTRIES_OF_DIRECTORY) {
        this.#endedEarly ??= `in ${path}, after ${MAX_ENTRIES_OF_DIRECTORY} files`;
        break;
      }
      this.#entries++;
      const kind = entry.isFile()
        ? 'file'
        : entry.isDirectory()
          ? 'directory'
          : entry.isSymbolicLink()
            ? 'link'
            : 'other';
      found.push({ name: entry.name, path: join(path, entry.name), kind });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** undefined: it does not exist, or is hidden from this user. */
  async stat(path: string) {
    return await lstat(this.#at(path)).catch(() => undefined);
  }

  async isReadableDirectory(path: string): Promise<boolean> {
    try {
      await access(this.#at(path), constants.R_OK | constants.X_OK);
      return (await lstat(this.#at(path))).isDirectory();
    } catch {
      return false;
    }
  }

  /** Rejects with the error of the file system. */
  async beginning(path: string, bytes: number): Promise<Buffer | 'not-a-file'> {
    return await readBeginning(this.#at(path), bytes);
  }

  /** The text of a configuration file; empty if it cannot be read. */
  async text(path: string): Promise<string> {
    const bytes = await this.beginning(path, MAX_TEXT_BYTES).catch(() => 'not-a-file' as const);
    return bytes === 'not-a-file' ? '' : bytes.toString();
  }

  #at(path: string): string {
    return join(this.#root, path);
  }
}

function undefinedIfAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
