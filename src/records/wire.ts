import { isUtf8 } from 'node:buffer';
import { type CompressionName, inflateLz4 } from './compression.ts';
import { LIMITS } from './limits.ts';
import type { PeerColumn } from './peer-column.ts';
import { type MarkedRecord, NO_MARKS, type RecordBatch, type RecordMark } from './record-batch.ts';
import { EMPTY_RESOURCE, type Resource } from './resource.ts';
import { STREAM_ID_BYTES, streamIdFromBytes } from './stream-id.ts';
import { WireError } from './wire-error.ts';
import {
  FieldReader,
  WIRE_BYTES,
  WIRE_FIXED64,
  WIRE_VARINT,
  writeBytesHeader,
  writeVarint,
} from './wire-fields.ts';

/**
 * The hand-written codec of the RecordBatch message of `proto/megacollector/v1/aggregator.proto`.
 *
 * It is the only message with real volume, and the generated code would decode its packed sizes into an array
 * and copy its data before any check. This codec checks each limit on the received bytes: the number of
 * records (packed varints are counted by their last bytes), their sizes, the total size, the inflated size.
 * Only then it allocates memory. A test compares this codec with the generated one.
 *
 * The queue stores these bytes unchanged, so they are also read back here.
 */

const FIELD = {
  stream: 1,
  start: 2,
  resource: 3,
  format: 4,
  observedTime: 5,
  recordSizes: 6,
  markedRecords: 7,
  marks: 8,
  compression: 9,
  dataSize: 10,
  data: 11,
  peers: 12,
  recordPeers: 13,
} as const;

/** The field of a Peer message. */
const PEER_ATTRIBUTES = 1;

const COMPRESSION_NUMBER: Record<CompressionName, number> = { none: 0, lz4: 1 };
const MARK_NUMBER: Record<RecordMark, number> = { cut: 1, unterminated: 2 };

/** The data of a batch in its wire form. */
export interface EncodedData {
  readonly compression: CompressionName;
  readonly bytes: Uint8Array;
}

/** The message, data uncompressed. */
export function encodeRecordBatch(batch: RecordBatch): Buffer {
  const head = encodeRecordBatchHead(batch, { compression: 'none', bytes: batch.data });
  return Buffer.concat([head, batch.data]);
}

/** The message without the bytes of the data, which follow. */
export function encodeRecordBatchHead(batch: RecordBatch, data: EncodedData): Buffer {
  const format = Buffer.from(batch.format);
  const resource = encodeResource(batch.resource);
  const sizes = encodePacked(batch.sizes);
  const marked = encodePacked(batch.marks.map(({ index }) => index));
  const marks = encodePacked(batch.marks.map(({ mark }) => MARK_NUMBER[mark]));
  const peers = encodePeers(batch);
  const roomForNumbers = 96 + STREAM_ID_BYTES;
  const head = Buffer.allocUnsafe(
    roomForNumbers +
      format.length +
      resource.length +
      sizes.length +
      marked.length +
      marks.length +
      peers.length,
  );
  let at = writeBytesHeader(head, 0, FIELD.stream, STREAM_ID_BYTES);
  at += head.write(batch.stream, at, 'hex');
  at = writeVarint(head, writeVarint(head, at, FIELD.start * 8 + WIRE_VARINT), batch.start);
  at += resource.copy(head, at);
  at = writeBytes(head, at, FIELD.format, format);
  at = writeVarint(head, at, FIELD.observedTime * 8 + WIRE_FIXED64);
  at = head.writeBigUInt64LE(BigInt.asUintN(64, batch.observedTimeUnixNano), at);
  at = writeBytes(head, at, FIELD.recordSizes, sizes);
  if (batch.marks.length > 0) {
    at = writeBytes(head, at, FIELD.markedRecords, marked);
    at = writeBytes(head, at, FIELD.marks, marks);
  }
  at += peers.copy(head, at);
  at = writeVarint(head, at, FIELD.compression * 8 + WIRE_VARINT);
  at = writeVarint(head, at, COMPRESSION_NUMBER[data.compression]);
  at = writeVarint(head, writeVarint(head, at, FIELD.dataSize * 8 + WIRE_VARINT), batch.data.length);
  at = writeBytesHeader(head, at, FIELD.data, data.bytes.length);
  return head.subarray(0, at);
}

/** Reads and inflates a message; throws WireError when it breaks a rule or a limit. */
export function decodeRecordBatch(encoded: Uint8Array): RecordBatch {
  const fields = readFields(encoded);
  const stream = streamIdFromBytes(fields.stream);
  if (stream === undefined)
    throw new WireError(`stream must be ${STREAM_ID_BYTES} bytes, got ${fields.stream.length}`);
  const sizes = decodeSizes(fields.recordSizes, fields.dataSize);
  if (fields.start + fields.dataSize > Number.MAX_SAFE_INTEGER) throw new WireError('start is out of range');
  return {
    stream,
    start: fields.start,
    resource: fields.resource,
    format: text(fields.format, 'format') || 'plain',
    observedTimeUnixNano: fields.observedTime,
    sizes,
    marks: decodeMarks(fields.markedRecords, fields.marks, sizes.length),
    ...decodeRecordPeers(fields.peers, fields.recordPeers, sizes.length),
    data: decodeData(fields),
  };
}

interface Fields {
  stream: Uint8Array;
  start: number;
  resource: Resource;
  format: Uint8Array;
  observedTime: bigint;
  recordSizes: Uint8Array;
  markedRecords: Uint8Array;
  marks: Uint8Array;
  compression: number;
  dataSize: number;
  data: Uint8Array;
  readonly peers: Resource[];
  peerBytes: number;
  recordPeers: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

function readFields(encoded: Uint8Array): Fields {
  const fields: Fields = {
    stream: NO_BYTES,
    start: 0,
    resource: EMPTY_RESOURCE,
    format: NO_BYTES,
    observedTime: 0n,
    recordSizes: NO_BYTES,
    markedRecords: NO_BYTES,
    marks: NO_BYTES,
    compression: 0,
    dataSize: 0,
    data: NO_BYTES,
    peers: [],
    peerBytes: 0,
    recordPeers: NO_BYTES,
  };
  const resource = new ResourceReader();
  const reader = new FieldReader(encoded);
  while (!reader.done) readField(reader, fields, resource);
  fields.resource = resource.result;
  return fields;
}

function readField(reader: FieldReader, fields: Fields, resource: ResourceReader): void {
  const tag = reader.tag();
  switch (tag) {
    case FIELD.stream * 8 + WIRE_BYTES:
      fields.stream = reader.slice();
      return;
    case FIELD.start * 8 + WIRE_VARINT:
      fields.start = reader.varint();
      return;
    case FIELD.resource * 8 + WIRE_BYTES:
      resource.add(reader.slice());
      return;
    case FIELD.format * 8 + WIRE_BYTES:
      fields.format = reader.slice();
      if (fields.format.length > LIMITS.formatNameBytes)
        throw new WireError('the name of the format is too long');
      return;
    case FIELD.observedTime * 8 + WIRE_FIXED64:
      fields.observedTime = reader.fixed64();
      return;
    case FIELD.recordSizes * 8 + WIRE_BYTES:
      if (fields.recordSizes.length > 0) throw new WireError('record_sizes comes twice');
      fields.recordSizes = reader.slice();
      return;
    case FIELD.recordSizes * 8 + WIRE_VARINT:
      throw new WireError('record_sizes is not packed');
    case FIELD.markedRecords * 8 + WIRE_BYTES:
      fields.markedRecords = reader.slice();
      return;
    case FIELD.marks * 8 + WIRE_BYTES:
      fields.marks = reader.slice();
      return;
    case FIELD.compression * 8 + WIRE_VARINT:
      fields.compression = reader.varint();
      return;
    case FIELD.dataSize * 8 + WIRE_VARINT:
      fields.dataSize = reader.varint();
      if (fields.dataSize > LIMITS.batchBytes) {
        throw new WireError(`data_size is ${fields.dataSize}, more than ${LIMITS.batchBytes}`);
      }
      return;
    case FIELD.data * 8 + WIRE_BYTES:
      fields.data = reader.slice();
      return;
    case FIELD.peers * 8 + WIRE_BYTES:
      addPeer(fields, reader.slice());
      return;
    case FIELD.recordPeers * 8 + WIRE_BYTES:
      if (fields.recordPeers.length > 0) throw new WireError('record_peers comes twice');
      fields.recordPeers = reader.slice();
      return;
    case FIELD.recordPeers * 8 + WIRE_VARINT:
      throw new WireError('record_peers is not packed');
    default:
      reader.skip(tag & 7);
  }
}

function addPeer(fields: Fields, encoded: Uint8Array): void {
  fields.peerBytes += encoded.length;
  if (fields.peerBytes > LIMITS.batchPeerBytes)
    throw new WireError(`the peers have more than ${LIMITS.batchPeerBytes} bytes`);
  if (fields.peers.length >= LIMITS.batchPeers)
    throw new WireError(`the batch has more than ${LIMITS.batchPeers} peers`);
  const attributes = new ResourceReader();
  const reader = new FieldReader(encoded);
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === PEER_ATTRIBUTES * 8 + WIRE_BYTES) attributes.add(reader.slice());
    else reader.skip(tag & 7);
  }
  fields.peers.push(attributes.result);
}

function decodeRecordPeers(peers: readonly Resource[], packed: Uint8Array, records: number): PeerColumn {
  if (packed.length === 0) return {};
  // A number needs at most 2 bytes.
  if (packed.length > records * 2) throw new WireError('record_peers is too long');
  const recordPeers = new Uint32Array(records);
  const reader = new FieldReader(packed);
  let count = 0;
  for (; !reader.done; count++) {
    const number = reader.varint();
    if (number > peers.length)
      throw new WireError(`record_peers has ${number}, more than ${peers.length} peers`);
    recordPeers[count] = number;
  }
  if (count !== records) throw new WireError(`record_peers has ${count} numbers for ${records} records`);
  return peers.length === 0 ? {} : { peers, recordPeers };
}

function decodeSizes(packed: Uint8Array, dataSize: number): Uint32Array {
  const count = countPacked(packed);
  if (count === 0) throw new WireError('the batch has no records');
  if (count > LIMITS.batchRecords)
    throw new WireError(`the batch has ${count} records, more than ${LIMITS.batchRecords}`);
  const sizes = new Uint32Array(count);
  let sum = 0;
  let offset = 0;
  for (let index = 0; index < count; index++) {
    let byte = packed[offset++] ?? 0;
    let size = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 21) throw new WireError('a record size is out of range');
      byte = packed[offset++] ?? 0;
      size |= (byte & 0x7f) << shift;
    }
    if (size === 0) throw new WireError('a record has no bytes');
    if (size > LIMITS.recordBytes)
      throw new WireError(`a record has ${size} bytes, more than ${LIMITS.recordBytes}`);
    sizes[index] = size;
    sum += size;
  }
  if (sum !== dataSize)
    throw new WireError(`the record sizes add up to ${sum} where data_size says ${dataSize}`);
  return sizes;
}

/** Counts varints: each has exactly one byte without the high bit. */
function countPacked(packed: Uint8Array): number {
  // A size needs at most 3 bytes; a longer field exceeds the limit in any case.
  if (packed.length > LIMITS.batchRecords * 4) throw new WireError('record_sizes is too long');
  let count = 0;
  for (let i = 0; i < packed.length; i++) count += (packed[i] as number) < 0x80 ? 1 : 0;
  if (packed.length > 0 && (packed[packed.length - 1] ?? 0) >= 0x80)
    throw new WireError('a record size is cut off');
  return count;
}

function decodeMarks(indexes: Uint8Array, marks: Uint8Array, records: number): readonly MarkedRecord[] {
  if (indexes.length === 0 && marks.length === 0) return NO_MARKS;
  const result: MarkedRecord[] = [];
  const indexReader = new FieldReader(indexes);
  const markReader = new FieldReader(marks);
  let previous = -1;
  while (!indexReader.done) {
    const index = indexReader.varint();
    if (index <= previous || index >= records)
      throw new WireError('marked_records is not ascending within the batch');
    if (markReader.done) throw new WireError('there are fewer marks than marked_records');
    previous = index;
    // An unknown mark of a later version still means that the record is incomplete.
    result.push({ index, mark: markReader.varint() === MARK_NUMBER.cut ? 'cut' : 'unterminated' });
  }
  if (!markReader.done) throw new WireError('there are more marks than marked_records');
  return result;
}

function decodeData(fields: Fields): Uint8Array {
  switch (fields.compression) {
    case COMPRESSION_NUMBER.none:
      if (fields.data.length !== fields.dataSize) {
        throw new WireError(`data has ${fields.data.length} bytes where data_size says ${fields.dataSize}`);
      }
      return fields.data;
    case COMPRESSION_NUMBER.lz4:
      return inflateLz4(fields.data, fields.dataSize);
    default:
      throw new WireError(`compression ${fields.compression} is unknown`);
  }
}

/** Collects map entries within the limits. */
class ResourceReader {
  #entries: Map<string, string> | undefined;
  #bytes = 0;

  get result(): Resource {
    return this.#entries ?? EMPTY_RESOURCE;
  }

  add(entry: Uint8Array): void {
    this.#bytes += entry.length;
    this.#entries ??= new Map();
    if (this.#bytes > LIMITS.resourceBytes)
      throw new WireError(`the resource is larger than ${LIMITS.resourceBytes} bytes`);
    if (this.#entries.size >= LIMITS.resourceEntries) {
      throw new WireError(`the resource has more than ${LIMITS.resourceEntries} entries`);
    }
    let key = NO_BYTES as Uint8Array;
    let value = NO_BYTES as Uint8Array;
    const reader = new FieldReader(entry);
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === 1 * 8 + WIRE_BYTES) key = reader.slice();
      else if (tag === 2 * 8 + WIRE_BYTES) value = reader.slice();
      else reader.skip(tag & 7);
    }
    this.#entries.set(text(key, 'a resource key'), text(value, 'a resource value'));
  }
}

function text(bytes: Uint8Array, what: string): string {
  if (!isUtf8(bytes)) throw new WireError(`${what} is not UTF-8`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function encodePeers({ peers, recordPeers }: PeerColumn): Buffer {
  if (peers === undefined || recordPeers === undefined || peers.length === 0) return Buffer.alloc(0);
  const parts = peers.map((peer) => lengthDelimited(FIELD.peers, encodeResource(peer, PEER_ATTRIBUTES)));
  return Buffer.concat([...parts, lengthDelimited(FIELD.recordPeers, encodePacked(recordPeers))]);
}

function lengthDelimited(field: number, bytes: Uint8Array): Buffer {
  const whole = Buffer.allocUnsafe(bytes.length + 12);
  return whole.subarray(0, writeBytes(whole, 0, field, bytes));
}

function encodeResource(resource: Resource, field: number = FIELD.resource): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of resource) {
    const keyBytes = Buffer.from(key);
    const valueBytes = Buffer.from(value);
    const entry = Buffer.allocUnsafe(keyBytes.length + valueBytes.length + 12);
    let at = writeBytes(entry, 0, 1, keyBytes);
    at = writeBytes(entry, at, 2, valueBytes);
    parts.push(lengthDelimited(field, entry.subarray(0, at)));
  }
  return Buffer.concat(parts);
}

function encodePacked(values: ArrayLike<number>): Buffer {
  const packed = Buffer.allocUnsafe(values.length * 4);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    let rest = values[i] as number;
    while (rest >= 128) {
      packed[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    packed[at++] = rest;
  }
  return packed.subarray(0, at);
}

function writeBytes(target: Uint8Array, offset: number, field: number, bytes: Uint8Array): number {
  const at = writeBytesHeader(target, offset, field, bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}
