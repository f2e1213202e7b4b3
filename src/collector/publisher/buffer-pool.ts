/** The few buffers that everything is read into: what a collector holds of its files, whatever their size. */
export class BufferPool {
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  readonly #sizeBytes: number;
  #left: number;

  constructor(count: number, sizeBytes: number) {
    this.#left = count;
    this.#sizeBytes = sizeBytes;
  }

  acquire(): Promise<Buffer> {
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#left > 0) {
      this.#left--;
      return Promise.resolve(Buffer.allocUnsafeSlow(this.#sizeBytes));
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}
