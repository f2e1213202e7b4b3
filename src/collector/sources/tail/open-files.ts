import type { FileAccess } from './file-access.ts';

/**
 * Bounds how many files are open at once. Where one too many is opened, those that were used longest ago are closed;
 * not those that could not be opened again.
 */
export class OpenFiles {
  readonly #limit: number;
  /** In the order of their last use. */
  readonly #open = new Set<FileAccess>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#open.size;
  }

  used(file: FileAccess): void {
    this.#open.delete(file);
    this.#open.add(file);
    if (this.#open.size > this.#limit) this.#closeOldest();
  }

  closed(file: FileAccess): void {
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
