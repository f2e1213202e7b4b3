import type { Clock } from './clock.ts';

/**
 * Reuses large buffers with a short life. V8 counts the bytes of buffers as garbage of the heap, so a flow of new
 * buffers causes collections of the whole heap, however small that is.
 *
 * Buffers have sizes of powers of two, so that a buffer fits for many requests. Requests for few bytes get a new buffer,
 * which is not kept.
 */
export class BufferPool {
  readonly #options: BufferPoolOptions;
  /** Free buffers, by their size. */
  readonly #free = new Map<number, ArrayBufferLike[]>();
  #freeBytes = 0;
  /** Those of this pool that are in use. */
  readonly #used = new WeakSet<ArrayBufferLike>();
  #isIdle = false;
  #isWatched = false;

  constructor(options: BufferPoolOptions) {
    this.#options = options;
  }

  /** Returns a buffer of at least this size. Its content is undefined. */
  take(bytes: number): Buffer {
    if (bytes < SMALLEST_BYTES || bytes > this.#options.largestBytes) return Buffer.allocUnsafeSlow(bytes);
    const size = pooledBytes(bytes);
    this.#isIdle = false;
    const free = this.#free.get(size)?.pop();
    if (free !== undefined) this.#freeBytes -= size;
    const buffer = free === undefined ? Buffer.allocUnsafeSlow(size) : Buffer.from(free);
    this.#used.add(buffer.buffer);
    return buffer;
  }

  /** The memory of these bytes is not used any more. Bytes that are not from this pool are ignored. */
  release({ buffer }: Uint8Array): void {
    if (!this.#used.delete(buffer)) return;
    const size = buffer.byteLength;
    if (this.#freeBytes + size > this.#options.keptBytes) return;
    const free = this.#free.get(size) ?? [];
    free.push(buffer);
    this.#free.set(size, free);
    this.#freeBytes += size;
    this.#watch();
  }

  /** As `release`, after the callbacks of this turn of the event loop: they may still read the bytes. */
  releaseAfterTurn(bytes: Uint8Array): void {
    setImmediate(() => this.release(bytes));
  }

  /** Frees the memory that is not in use. */
  clear(): void {
    this.#free.clear();
    this.#freeBytes = 0;
  }

  #watch(): void {
    const { clock } = this.#options;
    if (clock === undefined || this.#isWatched) return;
    this.#isWatched = true;
    this.#isIdle = true;
    clock.after(IDLE_MS, () => {
      this.#isWatched = false;
      if (this.#isIdle) this.clear();
      else this.#watch();
    });
  }
}

export interface BufferPoolOptions {
  /** Larger buffers are not kept. A power of two. */
  readonly largestBytes: number;
  /** The limit of free buffers in total. */
  readonly keptBytes: number;
  /** With a clock, free buffers are not kept while no buffer is taken for two seconds. */
  readonly clock?: Clock | undefined;
}

/** The size of the buffer for a request of this size. */
export function pooledBytes(bytes: number): number {
  return bytes < SMALLEST_BYTES ? bytes : 2 ** Math.ceil(Math.log2(bytes));
}

const SMALLEST_BYTES = 16 * 1024;
const IDLE_MS = 2_000;
