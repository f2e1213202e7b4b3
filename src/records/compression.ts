import { compressSync, uncompressSync } from 'lz4-napi';
import { WireError } from './wire-error.ts';

/**
 * LZ4 as the wire has it: the uncompressed size (4 bytes, little-endian), then one LZ4 block. Everything that crosses
 * the wire, and everything that rests in the queue, is compressed by the collector and by nobody else.
 */
export type CompressionName = 'none' | 'lz4';

/**
 * On this thread: 1 MiB takes about 1.5 ms. In the threads of the pool it would be no cheaper, and each of them would keep
 * several megabytes of the results for itself.
 */
export function compressLz4(data: Uint8Array): Buffer {
  return compressSync(Buffer.from(data.buffer, data.byteOffset, data.length));
}

/** `dataSize` has been checked against the limits; a block that claims another size is refused before it is inflated. */
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
