const PIECE_BYTES = 64 * 1024;
/** Smaller chunks are copied. */
const LARGE_CHUNK_BYTES = 4096;

/**
 * Collects the chunks of a body. A client may send each byte as a chunk of its own, and each chunk is an object of more than
 * 100 bytes: small ones are copied together, so that the body needs not much more memory than its size.
 */
export class BodyPieces {
  readonly #full: Buffer[] = [];
  #open: Buffer = Buffer.alloc(0);
  #used = 0;

  /** The number of buffers that are kept. */
  get count(): number {
    return this.#full.length + (this.#used > 0 ? 1 : 0);
  }

  add(chunk: Buffer): void {
    if (chunk.length >= LARGE_CHUNK_BYTES) {
      this.#close();
      this.#full.push(chunk);
      return;
    }
    if (this.#used + chunk.length > this.#open.length) {
      this.#close();
      this.#open = Buffer.allocUnsafe(PIECE_BYTES);
    }
    this.#used += chunk.copy(this.#open, this.#used);
  }

  concat(): Buffer {
    this.#close();
    return Buffer.concat(this.#full);
  }

  #close(): void {
    if (this.#used > 0) this.#full.push(this.#open.subarray(0, this.#used));
    this.#open = this.#open.subarray(this.#used);
    this.#used = 0;
  }
}
