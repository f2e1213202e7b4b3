import type { StreamFrame } from './frames.ts';

/** A publisher receives only small frames. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const LENGTH_BYTES = 4;
const HEADER_BYTES = 4;

/** Splits received bytes into frames. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** Returns the complete frames; undefined when the bytes are no frames. */
  push(bytes: Buffer): readonly StreamFrame[] | undefined {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: StreamFrame[] = [];
    let from = 0;
    while (this.#rest.length - from >= LENGTH_BYTES) {
      const size = this.#rest.readUInt32BE(from);
      if (size < HEADER_BYTES || size > MAX_FRAME_BYTES) return undefined;
      const end = from + LENGTH_BYTES + size;
      if (end > this.#rest.length) break;
      const key = this.#rest.readUInt16BE(from + LENGTH_BYTES);
      frames.push({ key, content: this.#rest.subarray(from + LENGTH_BYTES + HEADER_BYTES, end) });
      from = end;
    }
    this.#rest = this.#rest.subarray(from);
    return frames;
  }
}
