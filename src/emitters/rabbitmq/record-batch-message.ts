import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../records/check.ts';
import { compressLz4 } from '../../records/compression.ts';
import { encodeBatchRequest } from '../../records/publish-codec.ts';
import { offsetOfRecord, type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import type { EncodedData } from '../../records/wire.ts';

/** A larger slice becomes several messages. Brokers prefer small messages, and a consumer holds a window of them. */
const MESSAGE_BYTES = 1024 * 1024;
/** Smaller batches are not compressed. */
const MIN_COMPRESSED_BYTES = 512;
/** Evidence that matches no stream: the batch does not contain the bytes that it needs. */
const NO_EVIDENCE = '0000000000000000' as Check;

/** Cuts a slice into parts for one message each. */
export function* messageSlices(slice: RecordBatch): Generator<RecordBatch> {
  let from = 0;
  let fromOffset = 0;
  while (from < slice.sizes.length) {
    let to = from + 1;
    let bytes = slice.sizes[from] ?? 0;
    while (to < slice.sizes.length && bytes + (slice.sizes[to] ?? 0) <= MESSAGE_BYTES)
      bytes += slice.sizes[to++] ?? 0;
    yield sliceRecords(slice, from, to, fromOffset);
    fromOffset = offsetOfRecord(slice, to, from, fromOffset);
    from = to;
  }
}

/** The batch as a collector sends it to an aggregator: a PublishRequest message with a batch (docs/wire.md). */
export function encodeRecordBatchMessage(batch: RecordBatch, compression: 'lz4' | 'none'): Buffer {
  return encodeBatchRequest({
    sequence: 1,
    endCheck: endCheckOf(batch),
    batch,
    data: encodedData(batch.data, compression),
  });
}

/** The check covers the last 64 bytes of the stream, so a short batch has it only at the beginning of the stream. */
function endCheckOf({ data, start }: RecordBatch): Check {
  return data.length >= CHECK_WINDOW_BYTES || start === 0 ? checkOf(data) : NO_EVIDENCE;
}

function encodedData(data: Uint8Array, compression: 'lz4' | 'none'): EncodedData {
  if (compression === 'lz4' && data.length >= MIN_COMPRESSED_BYTES) {
    const bytes = compressLz4(data);
    if (bytes.length < data.length) return { compression: 'lz4', bytes };
  }
  return { compression: 'none', bytes: data };
}
