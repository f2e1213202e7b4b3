const SMALLEST_BYTES = 4 * 1024;
const BLOCK_BYTES = 64 * 1024;

/** A queue of bytes in few buffers, however small the parts are that arrive. A queue of few bytes has small buffers. */
export class HeldBytes {
  #blocks: { readonly buffer: Buffer; end: number }[] = [];
  /** In the first block. */
  #start = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes that are next; empty: none. Valid until the next call. */
  get first(): Buffer {
    const block = this.#blocks[0];
    return block === undefined ? Buffer.alloc(0) : block.buffer.subarray(this.#start, block.end);
  }

  /** Copies the bytes. */
  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const block = this.#blockWithRoom(bytes.length - at);
      const part = bytes.subarray(at, at + block.buffer.length - block.end);
      block.buffer.set(part, block.end);
      block.end += part.length;
      at += part.length;
    }
    this.#length += bytes.length;
  }

  /** Removes bytes from the beginning, at most those of `first`. */
  discard(bytes: number): void {
    this.#start += bytes;
    this.#length -= bytes;
    const block = this.#blocks[0];
    if (block === undefined || this.#start < block.end) return;
    this.#blocks.shift();
    this.#start = 0;
  }

  clear(): void {
    this.#blocks = [];
    this.#start = 0;
    this.#length = 0;
  }

  #blockWithRoom(bytes: number) {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.end < last.buffer.length) return last;
    const size = Math.min(Math.max(bytes, 2 * this.#length, SMALLEST_BYTES), BLOCK_BYTES);
    const block = { buffer: Buffer.allocUnsafeSlow(size), end: 0 };
    this.#blocks.push(block);
    return block;
  }
}
