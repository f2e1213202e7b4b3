import type { Check } from '../../records/check.ts';
import type { ChecksumPair } from '../../records/checksum-codec.ts';
import { type CompressionName, compressLz4 } from '../../records/compression.ts';
import { encodeBatchRequest } from '../../records/publish-codec.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { EncodedData } from '../../records/wire.ts';
import type { BufferPool } from '../../runtime/buffer-pool.ts';

/**
 * Encodes a batch as a message. It copies the batch's bytes, so that the caller can reuse their buffer. The memory of the
 * message is from `buffers`; the caller releases it.
 */
export function encodeBatch(
  outgoing: OutgoingBatch,
  compression: CompressionName,
  buffers: BufferPool,
): Buffer {
  const data = dataOf(outgoing.batch, compression);
  return encodeBatchRequest({ ...outgoing, data, allocate: (bytes) => buffers.take(bytes) });
}

/** Below this size LZ4 is not worth its cost. */
const COMPRESS_FROM_BYTES = 256;

export interface OutgoingBatch {
  readonly sequence: number;
  readonly batch: RecordBatch;
  readonly endCheck: Check;
  readonly checksums?: ChecksumPair | undefined;
}

function dataOf({ data }: RecordBatch, compression: CompressionName): EncodedData {
  if (compression === 'lz4' && data.length >= COMPRESS_FROM_BYTES) {
    const bytes = compressLz4(data);
    if (bytes.length < data.length) return { compression, bytes };
  }
  return { compression: 'none', bytes: data };
}
