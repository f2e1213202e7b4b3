import type { Check } from '../../records/check.ts';
import type { ChecksumPair } from '../../records/checksum-codec.ts';
import { type CompressionName, compressLz4 } from '../../records/compression.ts';
import { encodeBatchRequest } from '../../records/publish-codec.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { EncodedData } from '../../records/wire.ts';

/** Below this LZ4 gains nothing worth the work. */
const COMPRESS_FROM_BYTES = 256;

export interface OutgoingBatch {
  readonly sequence: number;
  readonly batch: RecordBatch;
  readonly endCheck: Check;
  readonly checksums?: ChecksumPair | undefined;
}

/** The message that carries a batch. The batch's bytes are copied: the buffer under them is free again. */
export function encodeBatch(outgoing: OutgoingBatch, compression: CompressionName): Buffer {
  return encodeBatchRequest({ ...outgoing, data: dataOf(outgoing.batch, compression) });
}

function dataOf({ data }: RecordBatch, compression: CompressionName): EncodedData {
  if (compression === 'lz4' && data.length >= COMPRESS_FROM_BYTES) {
    const bytes = compressLz4(data);
    if (bytes.length < data.length) return { compression, bytes };
  }
  return { compression: 'none', bytes: data };
}
