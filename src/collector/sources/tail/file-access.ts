import { constants } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OpenFiles } from './open-files.ts';

/** Where a file is, and which one it is there. */
export interface FilePlace {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
}

export interface FileState {
  readonly sizeBytes: number;
  /** No name leads to it any more; its bytes are there as long as it is held open. */
  readonly unlinked: boolean;
}

/** `gone`: no such file. `unreadable`: it is there, but not for us, or not now. */
export type AccessFailure = 'gone' | 'unreadable';

/**
 * One file, opened when it is needed and closed again when others need the room. It is the *inode* that is followed:
 * when another file stands at the path, the one meant is looked for beside it, where a rotation leaves it.
 */
export class FileAccess {
  readonly #openFiles: OpenFiles;
  #place: FilePlace;
  #handle: FileHandle | undefined;
  #opening: Promise<FileHandle | undefined> | undefined;
  #users = 0;
  #closing = false;
  #failure: AccessFailure | undefined;
  /** Its name is gone, or not ours to find: once closed, it could not be opened again. */
  onlyHandle = false;

  constructor(place: FilePlace, openFiles: OpenFiles) {
    this.#place = place;
    this.#openFiles = openFiles;
  }

  get place(): FilePlace {
    return this.#place;
  }

  /** Why the last use failed. */
  get failure(): AccessFailure | undefined {
    return this.#failure;
  }

  get idle(): boolean {
    return this.#users === 0 && !this.onlyHandle;
  }

  movedTo(path: string): void {
    this.#place = { ...this.#place, path };
  }

  /** Calls `use` with the open file; undefined (see `failure`) when it cannot be opened or read. */
  async use<T>(use: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
    this.#users++;
    try {
      const handle = this.#handle ?? (await this.#open());
      if (handle === undefined) return undefined;
      this.#openFiles.used(this);
      return await use(handle);
    } catch (error) {
      if (!isFileError(error)) throw error;
      this.#failure = 'unreadable';
      return undefined;
    } finally {
      this.#users--;
      if (this.#closing && this.#users === 0) await this.close();
    }
  }

  state(): Promise<FileState | undefined> {
    return this.use(async (handle) => {
      const { size, nlink } = await handle.stat();
      return { sizeBytes: size, unlinked: nlink === 0 };
    });
  }

  /** Closes it when the last user is done; the next use opens it again. */
  async close(): Promise<void> {
    if (this.#users > 0) {
      this.#closing = true;
      return;
    }
    this.#closing = false;
    const handle = this.#handle;
    this.#handle = undefined;
    this.#openFiles.closed(this);
    await handle?.close().catch(() => undefined);
  }

  #open(): Promise<FileHandle | undefined> {
    this.#opening ??= this.#openHere().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openHere(): Promise<FileHandle | undefined> {
    const here = await openFile(this.#place.path, this.#place.inode);
    if (typeof here === 'object') return this.#opened(here);
    if (here === 'unreadable') return this.#failed(here);
    const beside = await findBeside(this.#place);
    if (beside === undefined) return this.#failed('gone');
    const there = await openFile(beside, this.#place.inode);
    if (typeof there !== 'object') return this.#failed(there);
    this.#place = { ...this.#place, path: beside };
    return this.#opened(there);
  }

  #opened(handle: FileHandle): FileHandle {
    this.#handle = handle;
    this.#failure = undefined;
    return handle;
  }

  #failed(failure: AccessFailure): undefined {
    this.#failure = failure;
  }
}

/** The name in the same directory under which a file now stands; undefined when there is none. */
async function findBeside(place: FilePlace): Promise<string | undefined> {
  const directory = dirname(place.path);
  try {
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const found = await stat(path, { bigint: true }).catch(() => undefined);
      if (found?.isFile() && String(found.ino) === place.inode) return path;
    }
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
  return undefined;
}

async function openFile(path: string, inode: string): Promise<FileHandle | AccessFailure> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a pipe that took the file's place would hold the thread.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await handle.stat({ bigint: true });
    if (String(found.ino) === inode) return handle;
    await handle.close();
    return 'gone';
  } catch (error) {
    await handle?.close().catch(() => undefined);
    if (!isFileError(error)) throw error;
    return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 'gone' : 'unreadable';
  }
}

export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
