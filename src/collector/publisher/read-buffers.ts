import { BufferPool } from '../../runtime/buffer-pool.ts';

/**
 * The buffer for the reads of a call, whatever the number and size of its files. A large batch that is sent as it was read keeps
 * the buffer until it is written to the socket; the next read gets another one from a pool. A small batch is copied, so
 * that it does not occupy a whole buffer.
 */
export class ReadBuffers {
  readonly #pool = new BufferPool({ largestBytes: READ_BYTES, keptBytes: 4 * READ_BYTES });
  #current = this.#pool.take(READ_BYTES);

  /** For the next read. */
  get current(): Buffer {
    return this.#current;
  }

  /** Returns the same bytes, in memory that the next reads do not change. */
  keep(bytes: Uint8Array): Uint8Array {
    if (bytes.buffer === this.#current.buffer && bytes.length >= IN_PLACE_BYTES) {
      this.#current = this.#pool.take(READ_BYTES);
      return bytes;
    }
    const copy = this.#pool.take(bytes.length).subarray(0, bytes.length);
    copy.set(bytes);
    return copy;
  }

  /** The bytes are not needed any more. Bytes that are not from `keep` are ignored. */
  release(bytes: Uint8Array): void {
    this.#pool.release(bytes);
  }
}

export const READ_BYTES = 1024 * 1024;
/** At most twice the bytes of the unanswered batches are occupied. */
const IN_PLACE_BYTES = READ_BYTES / 2;
