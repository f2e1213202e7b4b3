import { DirectoryInodes } from './directory-inodes.ts';

/** A file that is open, as far as the bound is concerned. */
export interface OpenFile {
  /** Nobody reads from it now, and it could be opened again. */
  readonly idle: boolean;
  close(): Promise<void>;
}

/**
 * Bounds how many files are open at once. Where one too many is opened, those that were used longest ago are closed;
 * not those that could not be opened again.
 */
export class OpenFiles {
  /** Where files are that are not at their paths any more. */
  readonly directories = new DirectoryInodes();
  readonly #limit: number;
  /** In the order of their last use. */
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
