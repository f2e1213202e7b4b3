import type { Check } from '../../records/check.ts';
import type { ChecksumPair } from '../../records/checksum-codec.ts';
import { type CompressionName, compressLz4 } from '../../records/compression.ts';
import { type BatchParts, encodeBatchParts } from '../../records/publish-codec.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { EncodedData } from '../../records/wire.ts';
import type { ReadBuffers } from './read-buffers.ts';

/**
 * Encodes a batch as a message. The bytes of the message stay valid during the next reads, until the caller passes them to
 * `buffers.release`.
 */
export function encodeBatch(
  outgoing: OutgoingBatch,
  compression: CompressionName,
  buffers: ReadBuffers,
): BatchParts {
  const data = compressed(outgoing.batch, compression) ?? {
    compression: 'none',
    bytes: buffers.keep(outgoing.batch.data),
  };
  return encodeBatchParts({ ...outgoing, data });
}

/** Below this size LZ4 is not worth its cost. */
const COMPRESS_FROM_BYTES = 256;

export interface OutgoingBatch {
  readonly sequence: number;
  readonly batch: RecordBatch;
  readonly endCheck: Check;
  readonly checksums?: ChecksumPair | undefined;
}

/** undefined: the batch stays as it is. */
function compressed({ data }: RecordBatch, compression: CompressionName): EncodedData | undefined {
  if (compression !== 'lz4' || data.length < COMPRESS_FROM_BYTES) return undefined;
  const bytes = compressLz4(data);
  return bytes.length < data.length ? { compression, bytes } : undefined;
}
