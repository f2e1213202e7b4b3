import { type Check, checkFromBytes, checkToBytes } from './check.ts';
import { type ChecksumPair, checksumFromBytes, checksumPair, checksumToBytes } from './checksum-codec.ts';
import { PublishRequest, PublishResponse } from './gen/megacollector/v1/aggregator.ts';
import type { RecordBatch } from './record-batch.ts';
import type { RunningChecksum } from './running-checksum.ts';
import { type EncodedData, encodeRecordBatchHead } from './wire.ts';
import { WireError } from './wire-error.ts';
import {
  bytesHeaderSize,
  FieldReader,
  varintSize,
  WIRE_BYTES,
  WIRE_VARINT,
  writeBytesHeader,
  writeVarint,
} from './wire-fields.ts';

/**
 * The messages of a Publish call. Batches are written and read by hand, in one pass and without a copy of
 * their data; everything else is small and left to the generated code.
 */

/** The method of the call, as gRPC writes it in `:path`. */
export const PUBLISH_PATH = '/megacollector.v1.Aggregator/Publish';

/** A message as an aggregator reads it. `invalid`: the message breaks the protocol; the call must end. */
export type IncomingRequest =
  | { readonly kind: 'batch'; readonly batch: WireBatch }
  | { readonly kind: 'control'; readonly message: NonNullable<PublishRequest['message']> }
  | { readonly kind: 'invalid'; readonly reason: string };

export interface WireBatch {
  readonly sequence: number;
  readonly endCheck: Check;
  /** Absent from a peer of version 0.1.0. */
  readonly checksums: ChecksumPair | undefined;
  /** The RecordBatch message, not decoded yet. */
  readonly records: Uint8Array;
}

const BATCH = 3 * 8 + WIRE_BYTES;
const SEQUENCE = 1 * 8 + WIRE_VARINT;
const END_CHECK = 2 * 8 + WIRE_BYTES;
const RECORDS = 3 * 8 + WIRE_BYTES;
const START_CHECKSUM = 4 * 8 + WIRE_BYTES;
const END_CHECKSUM = 5 * 8 + WIRE_BYTES;
const CHECK_FIELD_BYTES = 10;
/** Only batches are larger. */
const CONTROL_BYTES = 64 * 1024;

/** Never throws: messages of a hostile peer must not look like an internal error. */
export function decodeRequest(bytes: Uint8Array): IncomingRequest {
  try {
    if (bytes.length > 0 && bytes[0] === BATCH) return { kind: 'batch', batch: decodeWireBatch(bytes) };
    if (bytes.length > CONTROL_BYTES) throw new WireError('the message is too large for its kind');
    const { message } = PublishRequest.decode(bytes);
    if (message === undefined || message.$case === 'batch')
      throw new WireError('the message is of no known kind');
    return { kind: 'control', message };
  } catch (error) {
    const reason = error instanceof WireError ? error.message : 'the message is not protobuf';
    return { kind: 'invalid', reason };
  }
}

function decodeWireBatch(bytes: Uint8Array): WireBatch {
  const outer = new FieldReader(bytes);
  outer.tag();
  const reader = new FieldReader(outer.slice());
  if (!outer.done) throw new WireError('something follows the batch');
  let sequence = 0;
  let endCheck: Check | undefined;
  let records: Uint8Array | undefined;
  let start: RunningChecksum | undefined;
  let end: RunningChecksum | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === SEQUENCE) sequence = reader.varint();
    else if (tag === END_CHECK) endCheck = checkFromBytes(reader.slice());
    else if (tag === RECORDS) records = reader.slice();
    else if (tag === START_CHECKSUM) start = checksumFromBytes(reader.slice());
    else if (tag === END_CHECKSUM) end = checksumFromBytes(reader.slice());
    else reader.skip(tag & 7);
  }
  if (sequence === 0) throw new WireError('the batch has no sequence');
  if (endCheck === undefined) throw new WireError('the batch has no check of its end');
  if (records === undefined) throw new WireError('the batch has no records');
  return { sequence, endCheck, checksums: checksumPair(start, end), records };
}

/** A message of a collector: small ones as the generated type, or an encoded batch in parts. */
export type OutgoingRequest = PublishRequest | BatchParts;

/** The message is the head and the bytes of the batch, which are not copied. */
export interface BatchParts {
  readonly head: Buffer;
  readonly data: Uint8Array;
}

/** The parts that together are the message. */
export function requestParts(request: OutgoingRequest): readonly Uint8Array[] {
  return 'head' in request ? [request.head, request.data] : [PublishRequest.encode(request).finish()];
}

/** The message in one buffer. */
export function encodeRequest(request: OutgoingRequest): Buffer {
  return Buffer.concat(requestParts(request));
}

export interface BatchRequest {
  readonly sequence: number;
  readonly endCheck: Check;
  readonly checksums?: ChecksumPair | undefined;
  readonly batch: RecordBatch;
  readonly data: EncodedData;
}

/** Returns one buffer with the whole PublishRequest. */
export function encodeBatchRequest(options: BatchRequest): Buffer {
  return encodeRequest(encodeBatchParts(options));
}

/** Returns the PublishRequest in parts: the data is the last field of each message around it. */
export function encodeBatchParts(options: BatchRequest): BatchParts {
  const head = encodeRecordBatchHead(options.batch, options.data);
  const recordsSize = head.length + options.data.bytes.length;
  const checksums = checksumFields(options.checksums);
  const batchSize =
    1 +
    varintSize(options.sequence) +
    CHECK_FIELD_BYTES +
    checksums.length +
    bytesHeaderSize(3, recordsSize) +
    recordsSize;
  const message = Buffer.allocUnsafe(bytesHeaderSize(3, batchSize) + batchSize - options.data.bytes.length);
  let at = writeBytesHeader(message, 0, 3, batchSize);
  at = writeVarint(message, writeVarint(message, at, SEQUENCE), options.sequence);
  at = writeBytesHeader(message, at, 2, CHECK_FIELD_BYTES - 2);
  at += checkToBytes(options.endCheck).copy(message, at);
  at += checksums.copy(message, at);
  at = writeBytesHeader(message, at, 3, recordsSize);
  head.copy(message, at);
  return { head: message, data: options.data.bytes };
}

function checksumFields(checksums: ChecksumPair | undefined): Buffer {
  if (checksums === undefined) return Buffer.alloc(0);
  return Buffer.concat([
    lengthDelimited(START_CHECKSUM, checksumToBytes(checksums.start)),
    lengthDelimited(END_CHECKSUM, checksumToBytes(checksums.end)),
  ]);
}

/** For messages shorter than 128 bytes. */
function lengthDelimited(tag: number, message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, message.length]), message]);
}

export function decodeResponse(bytes: Uint8Array): PublishResponse {
  return PublishResponse.decode(bytes);
}

export function encodeResponse(response: PublishResponse): Buffer {
  return Buffer.from(PublishResponse.encode(response).finish());
}
