import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isFileError } from './file-error.ts';
import { LocalFile } from './local-file.ts';
import type { OpenFiles } from './open-files.ts';
import type { ReadableFile } from './readable-file.ts';

/** Without O_NONBLOCK, a pipe at the path would block the thread. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * One file, which is opened when it is needed and closed when too many files are open. It follows the
 * *inode*: when another file is at the path, it searches the file in the directory where a rotation leaves
 * it. For a path with a symbolic link, that is the directory of the link's target.
 */
export class FileAccess {
  readonly #openFiles: OpenFiles;
  #place: FilePlace;
  #handle: ReadableFile | undefined;
  #opening: Promise<ReadableFile | undefined> | undefined;
  #users = 0;
  #closing = false;
  #failure: AccessFailure | undefined;
  #isPinned = false;
  #birth: string | undefined;
  #content: FileContentOpener | undefined;

  constructor(place: FilePlace, openFiles: OpenFiles) {
    this.#place = placeOf(place, place.target);
    this.#openFiles = openFiles;
  }

  /** A file whose bytes are not those of the file at `place`: `content` opens them. */
  static ofContent(content: FileContentOpener, place: FilePlace, openFiles: OpenFiles): FileAccess {
    const file = new FileAccess(place, openFiles);
    file.#content = content;
    return file;
  }

  get place(): FilePlace {
    return this.#place;
  }

  /** The reason why the last use failed. */
  get failure(): AccessFailure | undefined {
    return this.#failure;
  }

  get idle(): boolean {
    return this.#users === 0 && !this.#isPinned;
  }

  /** The file has no name by which it could be opened again: it stays open. */
  pin(): void {
    this.#isPinned = true;
  }

  unpin(): void {
    this.#isPinned = false;
  }

  /** When the file was created, if that is known: a later file with the same inode number is another file. */
  expectBirth(birth: string | undefined): void {
    this.#birth = birth;
  }

  movedTo(path: string, target?: string): void {
    this.#place = placeOf({ ...this.#place, path }, target);
  }

  /** Calls `use` with the open file. Returns undefined when it cannot be opened or read; see `failure`. */
  async use<T>(use: (handle: ReadableFile) => Promise<T>): Promise<T | undefined> {
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

  async state(): Promise<FileState | undefined> {
    if (this.#content !== undefined) return this.#failure === 'gone' ? undefined : this.#content.state;
    return this.use(async (handle) => {
      const { size, nlink, mtimeMs } = await handle.stat();
      return { sizeBytes: size, unlinked: nlink === 0, modifiedUnixMs: Math.floor(mtimeMs) };
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
    if (handle !== undefined) this.#content?.closed();
  }

  #open(): Promise<ReadableFile | undefined> {
    this.#opening ??= this.#openHere().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openHere(): Promise<ReadableFile | undefined> {
    const here = await (this.#content?.open(this.#place) ?? this.#openAt(this.#place.path));
    if (typeof here === 'object') return this.#opened(here);
    if (here !== 'gone' || this.#content !== undefined) return this.#failed(here);
    return this.#openBeside();
  }

  async #openBeside(): Promise<ReadableFile | undefined> {
    const { path, target, inode } = this.#place;
    for await (const beside of this.#openFiles.directories.find(dirname(target ?? path), inode)) {
      const there = await this.#openAt(beside);
      if (there === 'gone') continue;
      if (typeof there === 'string') return this.#failed(there);
      this.movedTo(beside);
      return this.#opened(there);
    }
    return this.#failed('gone');
  }

  async #openAt(path: string): Promise<ReadableFile | AccessFailure> {
    const { device, inode } = this.#place;
    const { localDevices } = this.#openFiles;
    const isLocal = localDevices.has(device);
    const file = await openFile(path, { inode, birth: this.#birth, isLocal });
    if (typeof file === 'object' && !isLocal) await localDevices.examine(device, path);
    return file;
  }

  #opened(handle: ReadableFile): ReadableFile {
    this.#handle = handle;
    this.#failure = undefined;
    return handle;
  }

  #failed(failure: AccessFailure): undefined {
    this.#failure = failure;
  }
}

/** The path of a file, and the identity of the file at that path. */
export interface FilePlace {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  /** The path of the file itself, when a symbolic link is part of `path`. */
  readonly target?: string;
}

export interface FileState {
  readonly sizeBytes: number;
  /** The file has no name any more. Its bytes exist as long as it is open. */
  readonly unlinked: boolean;
  readonly modifiedUnixMs: number;
}

/**
 * `gone`: the file does not exist. `unreadable`: it exists, but cannot be opened or read now. `waiting`: it is opened when
 * others are closed.
 */
export type AccessFailure = 'gone' | 'unreadable' | 'waiting';

/** Opens bytes that have no file of their own, such as the content of an archive. */
export interface FileContentOpener {
  /** The content does not change. */
  readonly state: FileState;
  open(place: FilePlace): Promise<ReadableFile | AccessFailure>;
  /** The handle is closed. */
  closed(): void;
}

function placeOf({ path, device, inode }: FilePlace, target: string | undefined): FilePlace {
  const place = { path, device, inode };
  return target === undefined || target === path ? place : { ...place, target };
}

async function openFile(
  path: string,
  wanted: { readonly inode: string; readonly birth: string | undefined; readonly isLocal: boolean },
): Promise<ReadableFile | AccessFailure> {
  let file: ReadableFile | undefined;
  try {
    file = wanted.isLocal ? new LocalFile(path, READ_FLAGS) : await open(path, READ_FLAGS);
    const found = await file.stat({ bigint: true });
    const isBorn = wanted.birth === undefined || String(found.birthtimeNs) === wanted.birth;
    if (String(found.ino) === wanted.inode && isBorn) return file;
    await file.close();
    return 'gone';
  } catch (error) {
    await file?.close().catch(() => undefined);
    if (!isFileError(error)) throw error;
    return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 'gone' : 'unreadable';
  }
}
