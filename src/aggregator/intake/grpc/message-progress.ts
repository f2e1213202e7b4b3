const HEADER_BYTES = 5;

/**
 * The received bytes of the current message of a call. A gRPC message is one byte of flags, four bytes of length (most
 * significant first), and the message.
 */
export class MessageProgress {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #remaining = 0;
  #received = 0;

  /** Received bytes of an incomplete message; 0 between messages. */
  get unfinishedBytes(): number {
    return this.#headerBytes + this.#received;
  }

  /** True: a message was completed. */
  received(chunk: Uint8Array): boolean {
    let completed = false;
    for (let at = 0; at < chunk.length; ) {
      at = this.#headerBytes < HEADER_BYTES ? this.#readHeader(chunk, at) : this.#readBody(chunk, at);
      completed = this.#endMessage() || completed;
    }
    return completed;
  }

  #readHeader(chunk: Uint8Array, at: number): number {
    const length = Math.min(HEADER_BYTES - this.#headerBytes, chunk.length - at);
    this.#header.set(chunk.subarray(at, at + length), this.#headerBytes);
    this.#headerBytes += length;
    if (this.#headerBytes === HEADER_BYTES) this.#remaining = this.#header.readUInt32BE(1);
    return at + length;
  }

  #readBody(chunk: Uint8Array, at: number): number {
    const length = Math.min(this.#remaining, chunk.length - at);
    this.#remaining -= length;
    this.#received += length;
    return at + length;
  }

  #endMessage(): boolean {
    if (this.#headerBytes < HEADER_BYTES || this.#remaining > 0) return false;
    this.#headerBytes = 0;
    this.#received = 0;
    return true;
  }
}
