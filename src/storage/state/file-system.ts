import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, statfs, unlink } from 'node:fs/promises';
import { syncDirectory } from '../../runtime/files/sync-directory.ts';

/**
 * The disk operations that segment files need: few, so that a test can replace them with a disk that tears
 * writes, fails to flush, is full or loses power. Errors are those of `node:fs` (`code`: ENOSPC, EIO, ...).
 */
export interface FileSystem {
  /** Creates the directory and its parents, unless they exist. */
  makeDirectory(path: string): Promise<void>;
  /** `create`: the file must not exist. `write`: it must. Both can be read from too. */
  open(path: string, mode: 'create' | 'write' | 'read'): Promise<OpenFile>;
  list(directory: string): Promise<string[]>;
  remove(path: string): Promise<void>;
  /** Flushes the list of files in the directory. */
  syncDirectory(path: string): Promise<void>;
  space(path: string): Promise<DiskSpace>;
}

export interface OpenFile {
  /** Returns the number of written bytes, which may be smaller than requested. */
  writev(buffers: readonly Uint8Array[], position: number): Promise<number>;
  /** Fills the buffer from `position`; returns the number of bytes read. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  size(): Promise<number>;
  truncate(size: number): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export interface DiskSpace {
  /** Free bytes for an unprivileged process. */
  readonly availableBytes: number;
  readonly totalBytes: number;
}

export const nodeFileSystem: FileSystem = {
  makeDirectory: async (path) => void (await mkdir(path, { recursive: true, mode: 0o700 })),
  open: async (path, mode) => new NodeFile(await open(path, OPEN_FLAGS[mode], 0o600)),
  list: (directory) => readdir(directory),
  remove: (path) => unlink(path),
  syncDirectory,
  space: async (path) => {
    const { bavail, blocks, bsize } = await statfs(path);
    return { availableBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
};

const OPEN_FLAGS = {
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  write: constants.O_RDWR,
  read: constants.O_RDONLY,
} as const;

class NodeFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async writev(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const { bytesWritten } = await this.#handle.writev(buffers, position);
    return bytesWritten;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let total = 0;
    while (total < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, total, buffer.length - total, position + total);
      if (bytesRead === 0) break;
      total += bytesRead;
    }
    return total;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size);
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
