import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { syncDirectory } from '../../runtime/files/sync-directory.ts';

/**
 * The file operations of the file emitter: an interface, so that tests can inject failures. Errors are those
 * of Node.
 */
export interface FileSystem {
  /** Opens for appending and reading. `create`: fails if the file exists. */
  open(path: string, options: { readonly create?: true; readonly mode?: number }): Promise<OpenFile>;
  /** Returns undefined if there is no file. */
  stat(path: string): Promise<FileStat | undefined>;
  list(directory: string): Promise<readonly string[]>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Creates missing parents as well. Returns the first directory created, if any. */
  createDirectory(path: string): Promise<string | undefined>;
  /** Makes creations, renames and removals in it durable. */
  syncDirectory(path: string): Promise<void>;
}

export interface OpenFile {
  stat(): Promise<FileStat>;
  /** Appends; returns the number of bytes written, which can be less than all. */
  write(parts: readonly Uint8Array[]): Promise<number>;
  /** Reads the bytes `[start, end)`, or fewer at the end of the file. */
  read(start: number, end: number): Promise<Uint8Array>;
  truncate(sizeBytes: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileStat {
  /** Decimal, since both can exceed 2^53. */
  readonly device: string;
  readonly inode: string;
  readonly sizeBytes: number;
  readonly links: number;
  readonly isFile: boolean;
}

export const nodeFileSystem: FileSystem = {
  open: async (path, { create, mode }) => {
    const flags = constants.O_RDWR | constants.O_APPEND;
    const creation = create ? constants.O_CREAT | constants.O_EXCL : 0;
    return new NodeFile(await open(path, flags | creation, mode));
  },
  stat: async (path) => {
    try {
      return fileStat(await stat(path, { bigint: true }));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  list: (directory) => readdir(directory),
  rename: (from, to) => rename(from, to),
  remove: (path) => unlink(path),
  createDirectory: (path) => mkdir(path, { recursive: true }),
  syncDirectory,
};

class NodeFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async stat(): Promise<FileStat> {
    return fileStat(await this.#handle.stat({ bigint: true }));
  }

  async write(parts: readonly Uint8Array[]): Promise<number> {
    return (await this.#handle.writev(parts)).bytesWritten;
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const buffer = Buffer.alloc(end - start);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, length, buffer.length - length, start + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#handle.truncate(sizeBytes);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function fileStat(stats: {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly nlink: bigint;
  isFile(): boolean;
}): FileStat {
  return {
    device: String(stats.dev),
    inode: String(stats.ino),
    sizeBytes: Number(stats.size),
    links: Number(stats.nlink),
    isFile: stats.isFile(),
  };
}
