import { LIMITS } from '../../records/limits.ts';
import { onlyPeerOf, PeerColumnBuilder, peerOf } from '../../records/peer-column.ts';
import { NO_MARKS, type RecordBatch } from '../../records/record-batch.ts';
import { EMPTY_RESOURCE, type Resource } from '../../records/resource.ts';
import type { StreamId } from '../../records/stream-id.ts';

/** Combines consecutive journal entries with the same label into one batch. */
export class GatheredBatch {
  readonly #buffer: Buffer;
  #sizes = new Uint32Array(0);
  #records = 0;
  #first: RecordBatch | undefined;
  #start = 0;
  #bytes = 0;
  readonly #peers = new PeerColumnBuilder();
  readonly #hasPeerColumn: boolean;
  /** Of the first record. */
  #peer: Resource | undefined;

  /** `hasPeerColumn` false: ends before the first record of another peer. */
  constructor(buffer: Buffer, hasPeerColumn = true) {
    this.#buffer = buffer;
    this.#hasPeerColumn = hasPeerColumn;
  }

  get isEmpty(): boolean {
    return this.#records === 0;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.#bytes;
  }

  get data(): Buffer {
    return this.#buffer.subarray(0, this.#bytes);
  }

  /** Adds the records of an entry from `position` on, as many as fit; returns whether all of them did. */
  add(entry: RecordBatch, position: number): boolean {
    if (this.#first === undefined) {
      this.#first = entry;
      this.#start = position;
    } else if (position !== this.end || !hasSameLabel(entry, this.#first)) return false;
    const { sizes } = entry;
    this.#growTo(Math.min(LIMITS.batchRecords, this.#records + sizes.length));
    const peer = entry.peers === undefined ? undefined : onlyPeerOf(entry);
    const isOfOnePeer = entry.peers === undefined || peer !== undefined;
    if (isOfOnePeer && position === entry.start && this.#hasRoomFor(entry.data.length, sizes.length, peer)) {
      this.#addAll(entry, peer);
      return true;
    }
    let index = 0;
    let from = 0;
    for (; index < sizes.length && entry.start + from < position; index++) from += sizes[index] ?? 0;
    const firstByte = this.#bytes;
    for (; index < sizes.length && this.#addSize(sizes[index] ?? 0, peerOf(entry, index)); index++);
    // One copy for all records.
    this.#buffer.set(entry.data.subarray(from, from + this.#bytes - firstByte), firstByte);
    return index === sizes.length;
  }

  /** The common case: nothing is done for each record. */
  #addAll({ sizes, data }: RecordBatch, peer: Resource | undefined): void {
    if (this.isEmpty) this.#peer = peer;
    this.#peers.add(peer, sizes.length);
    this.#sizes.set(sizes, this.#records);
    this.#buffer.set(data, this.#bytes);
    this.#records += sizes.length;
    this.#bytes += data.length;
  }

  #addSize(size: number, peer: Resource | undefined): boolean {
    if (!this.#hasRoomFor(size, 1, peer)) return false;
    if (this.isEmpty) this.#peer = peer;
    this.#peers.add(peer);
    this.#sizes[this.#records++] = size;
    this.#bytes += size;
    return true;
  }

  /**
   * Returns the batch; must not be called when it is empty. `offset` is the difference between positions of
   * the journal and of the stream.
   */
  done(stream: StreamId, offset: number): RecordBatch {
    const { resource: shared, format, observedTimeUnixNano } = this.#first as RecordBatch;
    const resource = this.#hasPeerColumn || !this.#peer ? shared : new Map([...shared, ...this.#peer]);
    return {
      stream,
      start: this.#start - offset,
      resource,
      format,
      observedTimeUnixNano,
      sizes: this.#sizes.subarray(0, this.#records),
      marks: NO_MARKS,
      data: this.data,
      ...(this.#hasPeerColumn && this.#peers.done()),
    };
  }

  /** Room for records of one peer. */
  #hasRoomFor(bytes: number, records: number, peer: Resource | undefined): boolean {
    if (this.#bytes + bytes > this.#buffer.length) return false;
    if (this.#records + records > LIMITS.batchRecords) return false;
    if (!this.#hasPeerColumn)
      return this.isEmpty || sameResource(peer ?? EMPTY_RESOURCE, this.#peer ?? EMPTY_RESOURCE);
    return this.#peers.hasRoomFor(peer);
  }

  #growTo(records: number): void {
    if (records <= this.#sizes.length) return;
    const grown = new Uint32Array(Math.max(records, Math.min(LIMITS.batchRecords, 2 * this.#sizes.length)));
    grown.set(this.#sizes);
    this.#sizes = grown;
  }
}

function hasSameLabel(a: RecordBatch, b: RecordBatch): boolean {
  return a.format === b.format && sameResource(a.resource, b.resource);
}

function sameResource(a: Resource, b: Resource): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
