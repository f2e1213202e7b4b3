import { Decompress } from 'fzstd';
import { PushFault } from './push-fault.ts';

const MAGIC = 0xfd2fb528;
const LEAST_SKIPPABLE = 0x184d2a50;
/** Larger ones are for archives. */
const MAX_WINDOW_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** A block, and its content, is at most this long (RFC 8878, 3.1.1.2.4). */
const MAX_BLOCK_BYTES = 128 * 1024;
/**
 * The decoder moves the whole window of a frame after each block. Full blocks of the largest request need less than half
 * of this; millions of empty blocks would stop the process for hours.
 */
const MAX_MOVED_BYTES = 4 * 1024 * 1024 * 1024;

/**
 * Inflates frames of Zstandard. Throws a PushFault when they are damaged, or need too much memory. `undefined`: they
 * inflate to more than `maxBytes`. Node 20 has no Zstandard.
 */
export function inflateZstd(frames: Buffer, maxBytes: number): Buffer | undefined {
  checkFrames(frames);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const stream = new Decompress((chunk) => {
    bytes += chunk.length;
    // Four bytes may be a block of 128 KiB: the decoder must not inflate a whole chunk of them.
    if (bytes > maxBytes) throw new TooLarge();
    chunks.push(chunk);
  });
  try {
    for (let at = 0; at < frames.length; at += CHUNK_BYTES)
      stream.push(frames.subarray(at, at + CHUNK_BYTES), at + CHUNK_BYTES >= frames.length);
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw damaged();
  }
  return Buffer.concat(chunks);
}

class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** The decoder allocates the window of a frame before it has its content, so the sizes are checked first. */
function checkFrames(frames: Buffer): void {
  let movedBytes = 0;
  const addMoved = (bytes: number) => {
    movedBytes += bytes;
    if (movedBytes > MAX_MOVED_BYTES)
      throw new PushFault('The Zstandard frames have too many small blocks for their window.');
  };
  for (let at = 0; at < frames.length; ) at = endOfFrame(new FrameReader(frames, at), addMoved);
}

function endOfFrame(reader: FrameReader, addMoved: (bytes: number) => void): number {
  const magic = reader.number(4);
  if (magic >= LEAST_SKIPPABLE && magic < LEAST_SKIPPABLE + 16) return reader.skip(reader.number(4));
  if (magic !== MAGIC) throw damaged();
  const descriptor = reader.number(1);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const window = isSingleSegment ? 0 : reader.number(1);
  reader.skip([0, 1, 2, 4][descriptor & 3] ?? 0);
  const size = reader.number(sizeBytes(descriptor >> 6, isSingleSegment));
  const windowBytes = isSingleSegment ? size : windowSize(window);
  if (windowBytes > MAX_WINDOW_BYTES)
    throw new PushFault('The window of the Zstandard frame must be at most 16 MiB.');
  for (;;) {
    const block = reader.number(3);
    if (block >> 3 > MAX_BLOCK_BYTES) throw damaged();
    addMoved(windowBytes);
    reader.skip(((block >> 1) & 3) === 1 ? 1 : block >> 3);
    if ((block & 1) === 1) return reader.skip((descriptor & 4) === 0 ? 0 : 4);
  }
}

function sizeBytes(flag: number, isSingleSegment: boolean): number {
  if (flag === 0) return isSingleSegment ? 1 : 0;
  return 2 ** flag;
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

class FrameReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Returns the position after the bytes. */
  skip(bytes: number): number {
    this.#at += bytes;
    if (this.#at > this.#bytes.length) throw damaged();
    return this.#at;
  }

  number(bytes: number): number {
    const start = this.#at;
    this.skip(bytes);
    let number = 0;
    for (let index = 0; index < bytes; index++)
      number += (this.#bytes[start + index] ?? 0) * 2 ** (8 * index);
    return number;
  }
}

function damaged(): PushFault {
  return new PushFault('The body is not valid Zstandard.');
}
