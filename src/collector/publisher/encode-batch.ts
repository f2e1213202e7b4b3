import type { Check } from '../../records/check.ts';
import type { ChecksumPair } from '../../records/checksum-codec.ts';
import { type CompressionName, compressLz4 } from '../../records/compression.ts';
import { encodeBatchRequest } from '../../records/publish-codec.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { EncodedData } from '../../records/wire.ts';

/** Encodes a batch as a message. It copies the batch's bytes, so that the caller can reuse the buffer. */
export function encodeBatch(outgoing: OutgoingBatch, compression: CompressionName): Buffer {
  return encodeBatchRequest({ ...outgoing, data: dataOf(outgoing.batch, compression) });
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
