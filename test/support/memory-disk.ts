import { basename, dirname } from 'node:path';
import type { FileStat, FileSystem, OpenFile } from '../../src/emitters/file/file-system.ts';

/** The fault of an operation: none, a failure without effect, or a write of only some bytes. */
export type Fault = { readonly code: string; readonly takenBytes?: number };

interface Inode {
  readonly number: number;
  data: Buffer;
  /** The content after a power loss. */
  synced: Buffer;
}

type Directory = Map<string, Inode>;

/**
 * A disk in memory that keeps track of synchronized data, so that a test can cut its power or make operations
 * fail. Directories need not be created.
 */
export class MemoryDisk implements FileSystem {
  /** Asked before each operation that changes something; `crash` in it ends all operations until `revive`. */
  onOperation: (name: string, path: string) => Fault | undefined = () => undefined;
  #directories = new Map<string, { now: Directory; synced: Directory }>();
  #inodes = 0;
  #epoch = 0;
  #isDead = false;

  /** Simulates the end of the process: its pending operations and open files have no effect any more. */
  kill(): void {
    this.#isDead = true;
    this.#epoch++;
  }

  /**
   * Simulates the end of the machine: data that was not synchronized is lost. `keeps`: called for each item;
   * true keeps it.
   */
  cutPower(keeps: () => boolean = () => false): void {
    this.kill();
    const inodes = new Set<Inode>();
    for (const directory of this.#directories.values()) {
      for (const inode of [...directory.now.values(), ...directory.synced.values()]) inodes.add(inode);
      if (keeps()) directory.synced = new Map(directory.now);
      else directory.now = new Map(directory.synced);
    }
    for (const inode of inodes) {
      if (keeps()) inode.synced = inode.data;
      else inode.data = inode.synced;
    }
  }

  revive(): void {
    this.#isDead = false;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** What is there now, by name. */
  contents(directory: string): ReadonlyMap<string, Buffer> {
    return new Map([...this.#directory(directory).now].map(([name, { data }]) => [name, data]));
  }

  put(path: string, data: Buffer): void {
    const inode = { number: ++this.#inodes, data, synced: data };
    this.#directory(dirname(path)).now.set(basename(path), inode);
    this.#directory(dirname(path)).synced.set(basename(path), inode);
  }

  async open(path: string, { create }: { readonly create?: true }): Promise<OpenFile> {
    const { now } = this.#directory(dirname(path));
    if (create) {
      this.#operate('create', path);
      if (now.has(basename(path))) throw failure('EEXIST', path);
      now.set(basename(path), { number: ++this.#inodes, data: Buffer.alloc(0), synced: Buffer.alloc(0) });
    }
    const inode = now.get(basename(path));
    if (inode === undefined) throw failure('ENOENT', path);
    return this.#opened(inode, path);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    this.#operate('stat', path);
    const inode = this.#directory(dirname(path)).now.get(basename(path));
    return inode && this.#stat(inode);
  }

  async list(directory: string): Promise<readonly string[]> {
    this.#operate('list', directory);
    return [...this.#directory(directory).now.keys()];
  }

  async rename(from: string, to: string): Promise<void> {
    this.#operate('rename', from);
    const { now } = this.#directory(dirname(from));
    const inode = now.get(basename(from));
    if (inode === undefined) throw failure('ENOENT', from);
    now.delete(basename(from));
    now.set(basename(to), inode);
  }

  async remove(path: string): Promise<void> {
    this.#operate('remove', path);
    if (!this.#directory(dirname(path)).now.delete(basename(path))) throw failure('ENOENT', path);
  }

  async createDirectory(): Promise<undefined> {}

  async syncDirectory(path: string): Promise<void> {
    this.#operate('syncDirectory', path);
    const directory = this.#directory(path);
    directory.synced = new Map(directory.now);
  }

  #opened(inode: Inode, path: string): OpenFile {
    const epoch = this.#epoch;
    const operate = (name: string) => {
      if (epoch !== this.#epoch) throw failure('EBADF', path);
      return this.#operate(name, path);
    };
    return {
      stat: async () => {
        operate('fstat');
        return this.#stat(inode);
      },
      write: async (parts) => {
        const all = Buffer.concat(parts);
        const taken = operate('write') ?? all.length;
        inode.data = Buffer.concat([inode.data, all.subarray(0, taken)]);
        return Math.min(taken, all.length);
      },
      read: async (start, end) => inode.data.subarray(start, end),
      truncate: async (sizeBytes) => {
        operate('truncate');
        inode.data = inode.data.subarray(0, sizeBytes);
      },
      sync: async () => {
        operate('sync');
        inode.synced = inode.data;
      },
      close: async () => {},
    };
  }

  /** How many bytes a write takes, when it does not take all. */
  #operate(name: string, path: string): number | undefined {
    if (this.#isDead) throw failure('EIO', path);
    const fault = this.onOperation(name, path);
    if (this.#isDead) throw failure('EIO', path);
    if (fault === undefined) return undefined;
    if (name === 'write' && fault.takenBytes !== undefined) return fault.takenBytes;
    throw failure(fault.code, path);
  }

  #stat(inode: Inode): FileStat {
    let links = 0;
    for (const { now } of this.#directories.values()) {
      for (const each of now.values()) if (each === inode) links++;
    }
    return { device: '1', inode: String(inode.number), sizeBytes: inode.data.length, links, isFile: true };
  }

  #directory(path: string): { now: Directory; synced: Directory } {
    let directory = this.#directories.get(path);
    if (directory === undefined) {
      directory = { now: new Map(), synced: new Map() };
      this.#directories.set(path, directory);
    }
    return directory;
  }
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${path}`), { code });
}
