import { SegmentLog } from '../../../src/storage/segments/segment-log.ts';
import { type FileSystem, nodeFileSystem, type OpenFile } from '../../../src/storage/state/file-system.ts';
import type { StateStore } from '../../../src/storage/state/state-store.ts';

/**
 * A disk as a process sees it that is killed: after a number of writes, nothing reaches the disk any more.
 * A write of several bytes is torn when it is the last one.
 */
export class MortalDisk {
  /** Called in the middle of a flush of a segment. */
  onFlush: (() => void) | undefined;
  #writesLeft = Number.POSITIVE_INFINITY;

  get isDead(): boolean {
    return this.#writesLeft <= 0;
  }

  killAfter(writes: number): void {
    this.#writesLeft = writes;
  }

  readonly openLog = (directory: string, segmentBytes: number): Promise<SegmentLog> =>
    SegmentLog.open({ directory, segmentBytes, fileSystem: this.#fileSystem() });

  readonly wrapState = (state: StateStore): StateStore => ({
    table: (name) => state.table(name),
    write: async (change) => {
      this.#count();
      await state.write(change);
    },
    close: () => state.close(),
  });

  #count(): void {
    if (this.#writesLeft-- <= 0) throw new Error('EIO: the process is dead');
  }

  #fileSystem(): FileSystem {
    return {
      ...nodeFileSystem,
      open: async (path, mode) => this.#mortal(await nodeFileSystem.open(path, mode)),
      remove: async (path) => {
        this.#count();
        await nodeFileSystem.remove(path);
      },
    };
  }

  #mortal(file: OpenFile): OpenFile {
    return {
      read: (buffer, position) => file.read(buffer, position),
      size: () => file.size(),
      close: () => file.close(),
      writev: async (buffers, position) => {
        if (this.#writesLeft === 1) await file.writev([Buffer.concat(buffers).subarray(0, 30)], position);
        this.#count();
        if (this.isDead) throw new Error('EIO: the process is dead');
        return file.writev(buffers, position);
      },
      truncate: async (size) => {
        this.#count();
        await file.truncate(size);
      },
      datasync: async () => {
        this.#count();
        this.onFlush?.();
        await file.datasync();
      },
    };
  }
}
