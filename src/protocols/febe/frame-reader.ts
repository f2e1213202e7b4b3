import { type FebeFault, febeFault } from './febe-fault.ts';

/**
 * Splits a byte stream into frames:
 *
 *     type: 1 byte | length: 4 bytes, big-endian, itself and the payload | payload
 *
 * Frames that are complete in a chunk are passed on without a copy. The received part of an incomplete frame
 * is kept in its own buffer, which grows with the received bytes and not with the announced length: a
 * thousand peers that announce a megabyte cost a thousand headers. A chunk is never kept, since a few bytes
 * would keep all of it in memory.
 */
export class FrameReader {
  #held: Uint8Array = EMPTY;
  #heldBytes = 0;

  /** Bytes of an incomplete frame. */
  get pendingBytes(): number {
    return this.#heldBytes;
  }

  /** Processes the next bytes. After a fault the reader must not be used again. */
  push(chunk: Uint8Array, visitor: FrameVisitor): FebeFault | undefined {
    let offset = 0;
    if (this.#heldBytes > 0) {
      const completed = this.#complete(chunk, visitor);
      if (typeof completed !== 'number') return completed;
      offset = completed;
    }
    while (offset < chunk.length) {
      const size = frameSize(chunk, offset, chunk.length, visitor);
      if (typeof size === 'object') return size;
      if (size === undefined || offset + size > chunk.length) break;
      const fault = visitor.frame(chunk[offset] ?? 0, chunk.subarray(offset + HEADER_BYTES, offset + size));
      if (fault !== undefined) return fault;
      offset += size;
    }
    this.#hold(chunk, offset, chunk.length);
    return undefined;
  }

  /** Completes the kept frame from the chunk; returns the offset after the used bytes. */
  #complete(chunk: Uint8Array, visitor: FrameVisitor): number | FebeFault | undefined {
    let offset = 0;
    if (this.#heldBytes < HEADER_BYTES) {
      offset = Math.min(chunk.length, HEADER_BYTES - this.#heldBytes);
      this.#hold(chunk, 0, offset);
    }
    const size = frameSize(this.#held, 0, this.#heldBytes, visitor);
    if (typeof size === 'object') return size;
    if (size === undefined) return chunk.length;
    const end = Math.min(chunk.length, offset + size - this.#heldBytes);
    this.#hold(chunk, offset, end, size);
    if (this.#heldBytes < size) return chunk.length;

    const frame = this.#held;
    this.#held = EMPTY;
    this.#heldBytes = 0;
    return visitor.frame(frame[0] ?? 0, frame.subarray(HEADER_BYTES, size)) ?? end;
  }

  #hold(chunk: Uint8Array, from: number, to: number, frameBytes = HEADER_BYTES): void {
    if (from >= to) return;
    const needed = this.#heldBytes + to - from;
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(frameBytes, 2 * this.#held.length)));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(from, to), this.#heldBytes);
    this.#heldBytes = needed;
  }
}

/** The callbacks of a frame reader. `payload` is valid only during the call. */
export interface FrameVisitor {
  /**
   * Called at the first byte of each frame: returns the maximum of its length field, or the reason why the
   * frame is not allowed.
   */
  admit(type: number): number | FebeFault;
  frame(type: number, payload: Uint8Array): FebeFault | undefined;
}

const TYPE_BYTES = 1;
const LENGTH_BYTES = 4;
const HEADER_BYTES = TYPE_BYTES + LENGTH_BYTES;
const EMPTY = new Uint8Array(0);

/** Size of header and payload; undefined while the header is incomplete. */
function frameSize(
  bytes: Uint8Array,
  offset: number,
  end: number,
  visitor: FrameVisitor,
): number | FebeFault | undefined {
  const admitted = visitor.admit(bytes[offset] ?? 0);
  if (typeof admitted !== 'number') return admitted;
  if (end - offset < HEADER_BYTES) return undefined;
  const length = readUint32(bytes, offset + TYPE_BYTES);
  if (length < LENGTH_BYTES)
    return febeFault('bad length', `the length of a frame must be at least ${LENGTH_BYTES}, got ${length}`);
  if (length > admitted)
    return febeFault('bad length', `the length of a frame must be at most ${admitted}, got ${length}`);
  return TYPE_BYTES + length;
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset] ?? 0) * 0x1000000 +
    (((bytes[offset + 1] ?? 0) << 16) | ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0))
  );
}
