/** Limits the disk space of all contents that are inflated at a time. A single one always has room. */
export class InflationRoom {
  readonly directory: string;
  readonly maxBytes: number;
  #usedBytes = 0;

  constructor({ directory, maxBytes }: { readonly directory: string; readonly maxBytes: number }) {
    this.directory = directory;
    this.maxBytes = maxBytes;
  }

  take(bytes: number): boolean {
    if (this.#usedBytes > 0 && this.#usedBytes + bytes > this.maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
