/** The encoded rows of one day, in frames of about 1 MiB. */
export class DayRows {
  offset = 0;
  rows = 0;
  readonly #full: Buffer[] = [];
  #frame = Buffer.alloc(0);
  #nextFrameBytes = FIRST_FRAME_BYTES;

  /** The frame with room for this size at `offset`. */
  reserve(sizeBytes: number): Buffer {
    if (this.offset + sizeBytes > this.#frame.length) {
      if (this.offset > 0) this.#full.push(this.#frame.subarray(0, this.offset));
      this.#frame = Buffer.allocUnsafeSlow(Math.max(this.#nextFrameBytes, sizeBytes));
      this.#nextFrameBytes = Math.min(2 * this.#nextFrameBytes, FRAME_BYTES);
      this.offset = 0;
    }
    return this.#frame;
  }

  rowEnd(offset: number): void {
    this.offset = offset;
    this.rows++;
  }

  get frames(): readonly Buffer[] {
    return this.offset > 0 ? [...this.#full, this.#frame.subarray(0, this.offset)] : this.#full;
  }
}

/** A flush may have records of many days, few of each. */
const FIRST_FRAME_BYTES = 16 * 1024;
const FRAME_BYTES = 1024 * 1024;
