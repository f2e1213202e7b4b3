/** A growing sequence of bytes, in frames of at most about 1 MiB. It is used again after `clear`, with the same frames. */
export class ColumnBytes {
  /** The place in the current frame at which the next bytes are written. */
  offset = 0;
  readonly #frames: Buffer[] = [];
  /** How much of each frame before the current one is used. */
  readonly #ends: number[] = [];
  #frame: Buffer = Buffer.alloc(0);
  #nextFrameBytes = FIRST_FRAME_BYTES;

  /** The frame with room for this size at `offset`. */
  reserve(sizeBytes: number): Buffer {
    if (this.offset + sizeBytes > this.#frame.length) {
      if (this.offset > 0) this.#ends.push(this.offset);
      this.#frame = this.#nextFrame(sizeBytes);
      this.offset = 0;
    }
    return this.#frame;
  }

  /** Writes the bytes `times` times. They are not empty. */
  repeat(bytes: Uint8Array, times: number): void {
    const most = Math.max(1, Math.floor(FILLED_BYTES / bytes.length));
    for (let rest = times; rest > 0; rest -= most) {
      const sizeBytes = Math.min(rest, most) * bytes.length;
      const frame = this.reserve(sizeBytes);
      frame.fill(bytes, this.offset, this.offset + sizeBytes);
      this.offset += sizeBytes;
    }
  }

  get frames(): readonly Buffer[] {
    const full = this.#ends.map((end, index) => (this.#frames[index] as Buffer).subarray(0, end));
    return this.offset > 0 ? [...full, this.#frame.subarray(0, this.offset)] : full;
  }

  get capacityBytes(): number {
    return this.#frames.reduce((sum, { length }) => sum + length, 0);
  }

  clear(): void {
    this.#ends.length = 0;
    this.#frame = this.#frames[0] ?? this.#frame;
    this.offset = 0;
  }

  #nextFrame(sizeBytes: number): Buffer {
    const index = this.#ends.length;
    const kept = this.#frames[index];
    if (kept !== undefined && kept.length >= sizeBytes) return kept;
    const frameBytes = Math.max(this.#nextFrameBytes, sizeBytes);
    const frame =
      frameBytes < POOLED_BYTES ? Buffer.allocUnsafe(frameBytes) : Buffer.allocUnsafeSlow(frameBytes);
    this.#nextFrameBytes = Math.min(2 * this.#nextFrameBytes, FRAME_BYTES);
    this.#frames[index] = frame;
    return frame;
  }
}

/** A flush may have records of many days, few of each, and a day has about 30 of these. */
const FIRST_FRAME_BYTES = 512;
const FRAME_BYTES = 1024 * 1024;
/** Node takes smaller buffers from a pool. */
const POOLED_BYTES = 4096;
const FILLED_BYTES = 64 * 1024;
