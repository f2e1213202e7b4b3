import { DirectoryInodes } from './directory-inodes.ts';
import { LocalDevices } from './local-devices.ts';

/**
 * Limits the number of open files. When there are too many, it closes the files that were not used for the
 * longest time, but no file that cannot be opened again.
 */
export class OpenFiles {
  /** Finds files that are not at their paths any more. */
  readonly directories = new DirectoryInodes();
  readonly localDevices = new LocalDevices();
  readonly #limit: number;
  /** In the order of the last use. */
  readonly #open = new Set<OpenFile>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#open.size;
  }

  used(file: OpenFile): void {
    this.#open.delete(file);
    this.#open.add(file);
    if (this.#open.size > this.#limit) this.#closeOldest();
  }

  closed(file: OpenFile): void {
    this.#open.delete(file);
  }

  async closeAll(): Promise<void> {
    await Promise.all(Array.from(this.#open, (file) => file.close()));
  }

  #closeOldest(): void {
    for (const file of this.#open) {
      if (this.#open.size <= this.#limit) return;
      if (file.idle) void file.close();
    }
  }
}

/** A file that counts towards the limit. */
export interface OpenFile {
  /** It is not used now, and it can be opened again. */
  readonly idle: boolean;
  close(): Promise<void>;
}
