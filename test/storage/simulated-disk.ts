import { dirname } from 'node:path';
import type { FileSystem, OpenFile } from '../../src/storage/state/file-system.ts';

export type DiskOperation =
  | 'create'
  | 'writev'
  | 'datasync'
  | 'truncate'
  | 'remove'
  | 'syncDirectory'
  | 'read';

/**
 * What becomes of an operation: nothing, a failure (`partly`: after some bytes), or only some of the bytes. `isEnded`: the
 * process has ended, so the operation never began.
 */
export type Fault =
  | { readonly code: string; readonly partly?: number; readonly isEnded?: boolean }
  | { readonly short: number };

const CLEAN = 0;
const DIRTY = 1;
/** Was dirty when an fdatasync failed: the kernel takes it for clean, the disk never got it. */
const LOST = 2;

interface File {
  content: Buffer;
  /** CLEAN, DIRTY or LOST, for each byte. */
  state: Uint8Array;
  durable: Buffer;
}

/**
 * A disk in memory that remembers what was flushed. `faultOf` may make any operation fail; `losePower` keeps
 * only what was flushed (and, when it is told so, some of what was not: a disk may write early). Ended
 * processes go on to hang: every process gets its own `mount`.
 */
export class SimulatedDisk {
  faultOf: (operation: DiskOperation) => Fault | undefined = () => undefined;
  availableBytes = Number.MAX_SAFE_INTEGER;
  #files = new Map<string, File>();
  #durableNames = new Set<string>();

  mount(): { fileSystem: FileSystem; unplug: () => void } {
    let alive = true;
    const guard = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (!alive) await new Promise(() => undefined);
    };
    const fileSystem: FileSystem = {
      makeDirectory: guard,
      open: async (path, mode) => {
        await guard();
        if (mode === 'create') {
          this.#mayFail('create');
          if (this.#files.has(path)) throw fail('EEXIST');
          this.#files.set(path, emptyFile());
        }
        const file = this.#files.get(path);
        if (file === undefined) throw fail('ENOENT');
        return this.#openFile(file, guard);
      },
      list: async (directory) => {
        await guard();
        return [...this.#files.keys()]
          .filter((path) => dirname(path) === directory)
          .map((path) => path.slice(directory.length + 1));
      },
      remove: async (path) => {
        await guard();
        this.#mayFail('remove');
        if (!this.#files.delete(path)) throw fail('ENOENT');
      },
      syncDirectory: async (path) => {
        await guard();
        this.#mayFail('syncDirectory');
        const names = [...this.#files.keys()].filter((name) => dirname(name) === path);
        this.#durableNames = new Set([
          ...[...this.#durableNames].filter((name) => dirname(name) !== path),
          ...names,
        ]);
      },
      space: async () => ({ availableBytes: this.availableBytes, totalBytes: Number.MAX_SAFE_INTEGER }),
    };
    return {
      fileSystem,
      unplug: () => {
        alive = false;
      },
    };
  }

  /** `keeps`: whether the disk had written something unflushed anyway; asked for each file and block. */
  losePower(keeps: () => boolean): void {
    for (const [path, file] of this.#files) {
      // Unflushed names may be there or not; without one the file is gone.
      if (!this.#durableNames.has(path) && !keeps()) {
        this.#files.delete(path);
        continue;
      }
      const early = keeps();
      const content = Buffer.alloc(
        early ? Math.max(file.content.length, file.durable.length) : file.durable.length,
      );
      file.durable.copy(content);
      if (early) {
        for (let block = 0; block < file.content.length; block += 64) {
          if (!keeps()) continue;
          for (let i = block; i < Math.min(block + 64, file.content.length); i++) {
            if (file.state[i] === DIRTY) content[i] = file.content[i] ?? 0;
          }
        }
      }
      file.content = content;
      file.durable = Buffer.from(content);
      file.state = new Uint8Array(content.length);
    }
    this.#durableNames = new Set(this.#files.keys());
  }

  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  contentOf(path: string): Buffer {
    return this.#files.get(path)?.content ?? Buffer.alloc(0);
  }

  /** Somebody's hand, or a bad sector. */
  damage(path: string, change: (content: Buffer) => Buffer | undefined): void {
    const content = change(Buffer.from(this.contentOf(path)));
    if (content === undefined) {
      this.#files.delete(path);
      this.#durableNames.delete(path);
    } else {
      this.#files.set(path, {
        content,
        durable: Buffer.from(content),
        state: new Uint8Array(content.length),
      });
    }
  }

  #openFile(file: File, guard: () => Promise<void>): OpenFile {
    return {
      writev: async (buffers, position) => {
        await guard();
        const bytes = Buffer.concat(buffers);
        const fault = this.faultOf('writev');
        if (fault !== undefined && 'isEnded' in fault && fault.isEnded) throw fail(fault.code);
        const limit =
          fault === undefined
            ? bytes.length
            : 'short' in fault
              ? Math.max(1, fault.short)
              : (fault.partly ?? 0);
        const written = bytes.subarray(0, limit);
        resize(file, Math.max(file.content.length, position + written.length));
        written.copy(file.content, position);
        file.state.fill(DIRTY, position, position + written.length);
        if (fault !== undefined && 'code' in fault) throw fail(fault.code);
        return written.length;
      },
      read: async (buffer, position) => {
        await guard();
        this.#mayFail('read');
        return file.content.copy(buffer, 0, position, position + buffer.length);
      },
      size: async () => {
        await guard();
        return file.content.length;
      },
      truncate: async (size) => {
        await guard();
        this.#mayFail('truncate');
        resize(file, size);
      },
      datasync: async () => {
        await guard();
        const fault = this.faultOf('datasync');
        if (fault !== undefined) {
          if ('isEnded' in fault && fault.isEnded) throw fail(fault.code);
          file.state = file.state.map((state) => (state === DIRTY ? LOST : state));
          throw fail('code' in fault ? fault.code : 'EIO');
        }
        const durable = Buffer.alloc(file.content.length);
        file.content.forEach((byte, i) => {
          durable[i] = file.state[i] === LOST ? (file.durable[i] ?? 0) : byte;
        });
        file.durable = durable;
        file.state = file.state.map((state) => (state === DIRTY ? CLEAN : state));
      },
      close: guard,
    };
  }

  #mayFail(operation: DiskOperation): void {
    const fault = this.faultOf(operation);
    if (fault !== undefined) throw fail('code' in fault ? fault.code : 'EIO');
  }
}

/** Fails the next operations of a kind, once each. */
export function failOnce(disk: SimulatedDisk, faults: Partial<Record<DiskOperation, Fault>>): void {
  const left = new Map(Object.entries(faults));
  disk.faultOf = (operation) => {
    const fault = left.get(operation);
    left.delete(operation);
    return fault;
  };
}

function emptyFile(): File {
  return { content: Buffer.alloc(0), state: new Uint8Array(0), durable: Buffer.alloc(0) };
}

function resize(file: File, size: number): void {
  const content = Buffer.alloc(size);
  file.content.copy(content);
  const state = new Uint8Array(size);
  state.set(file.state.subarray(0, size));
  file.content = content;
  file.state = state;
}

function fail(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
