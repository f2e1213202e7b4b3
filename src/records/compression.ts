import { compressSync, uncompressSync } from 'lz4-napi';
import { WireError } from './wire-error.ts';

/**
 * LZ4 in the format of the wire: the uncompressed size (4 bytes, little-endian), then one LZ4 block. Only the
 * collector compresses; its result is sent and stored in the queue.
 */
export type CompressionName = 'none' | 'lz4';

/**
 * On this thread: 1 MiB takes about 1.5 ms. The threads of the pool would not be cheaper, and each of them
 * would keep several megabytes of results.
 */
export function compressLz4(data: Uint8Array): Buffer {
  return compressSync(Buffer.from(data.buffer, data.byteOffset, data.length));
}

/**
 * `dataSize` is already checked against the limits; a block with another size is rejected before it is
 * inflated.
 */
export function inflateLz4(compressed: Uint8Array, dataSize: number): Uint8Array {
  if (compressed.length < 5) throw new WireError('the LZ4 block is cut off');
  const claimed = new DataView(compressed.buffer, compressed.byteOffset, 4).getUint32(0, true);
  if (claimed !== dataSize) {
    throw new WireError(`the LZ4 block claims ${claimed} bytes where data_size says ${dataSize}`);
  }
  const inflated = tryUncompress(compressed);
  if (inflated === undefined || inflated.length !== dataSize) throw new WireError('the LZ4 block is damaged');
  return inflated;
}

function tryUncompress(compressed: Uint8Array): Uint8Array | undefined {
  try {
    return uncompressSync(compressed);
  } catch {
    return undefined;
  }
}
