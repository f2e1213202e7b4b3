import { setImmediate as otherWork } from 'node:timers/promises';
import { Decompress } from 'fzstd';
import { type ZstdFrame, zstdFrameAt, zstdHeaderBytes } from './zstd-frame.ts';

/** A compressed block is at most this long, and so is its content (RFC 8878, 3.1.1.2.4). */
const MAX_BLOCK_BYTES = 128 * 1024;
const BLOCK_HEADER_BYTES = 3;
const RLE_BLOCK = 1;
/** After this number of blocks, other work has its turn. */
const BLOCKS_AT_ONCE = 32;

/**
 * Inflates all frames of a Zstandard file. Node 20 has no Zstandard. One block is inflated at a time, because four bytes
 * may stand for 128 KiB: memory is bounded, also for a file that was made to exhaust it.
 */
export async function* zstdChunks(compressed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const frames = new Frames();
  for await (const chunk of compressed) {
    frames.add(chunk);
    for (let count = 1; frames.advance(); count++) {
      yield* frames.inflated.splice(0);
      if (count % BLOCKS_AT_ONCE === 0) await otherWork();
    }
  }
  if (!frames.isComplete) throw new Error('unexpected end of file');
}

class Frames {
  readonly inflated: Uint8Array[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #frame: (ZstdFrame & { readonly stream: Decompress }) | undefined;
  /** The number of bytes to skip. */
  #skip = 0;

  add(chunk: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
  }

  get isComplete(): boolean {
    return this.#rest.length === 0 && this.#skip === 0 && this.#frame === undefined;
  }

  /** Reads one header or one block. False when that needs more bytes. */
  advance(): boolean {
    if (this.#skip > 0) {
      this.#skip -= this.#next(Math.min(this.#skip, this.#rest.length)).length;
      return this.#skip === 0;
    }
    return this.#frame === undefined ? this.#readHeader() : this.#readBlock(this.#frame);
  }

  #readHeader(): boolean {
    const length = zstdHeaderBytes(this.#rest);
    if (length === undefined || this.#rest.length < length) return false;
    const frame = zstdFrameAt(this.#next(length));
    if ('skipBytes' in frame) this.#skip = frame.skipBytes;
    else {
      const stream = new Decompress((chunk) => this.inflated.push(chunk));
      this.#frame = { ...frame, stream };
      stream.push(frame.header);
    }
    return true;
  }

  #readBlock({ stream, checksumBytes }: ZstdFrame & { readonly stream: Decompress }): boolean {
    if (this.#rest.length < BLOCK_HEADER_BYTES) return false;
    const header = this.#rest.readUIntLE(0, BLOCK_HEADER_BYTES);
    const isLast = (header & 1) === 1;
    const isRle = ((header >> 1) & 3) === RLE_BLOCK;
    if (header >> 3 > MAX_BLOCK_BYTES) throw new Error('a block has more than 128 KiB');
    const length = BLOCK_HEADER_BYTES + (isRle ? 1 : header >> 3) + (isLast ? checksumBytes : 0);
    if (this.#rest.length < length) return false;
    stream.push(this.#next(length), isLast);
    if (isLast) this.#frame = undefined;
    return true;
  }

  #next(length: number): Buffer {
    const bytes = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return bytes;
  }
}
