import { LIMITS } from '../../records/limits.ts';
import { PeerColumnBuilder } from '../../records/peer-column.ts';
import type { Resource } from '../../records/resource.ts';
import { BufferPool } from '../../runtime/buffer-pool.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { AppendedRun, RecordLabel, RecordRun } from './record-run.ts';

/** Collects records with one label in buffers that grow. */
export class GrowingRun {
  readonly label: RecordLabel;
  readonly #observedTimeUnixNano: bigint;
  readonly #likely: RunSize;
  readonly #memory: RunMemory;
  #data: Uint8Array = new Uint8Array(0);
  #sizes = new Uint32Array(0);
  #bytes = 0;
  #records = 0;
  /** Created with the first peer; the records before it have none. */
  #peers: PeerColumnBuilder | undefined;

  constructor(label: RecordLabel, observedTimeUnixNano: bigint, { memory, likely }: GrowingRunOptions) {
    this.label = label;
    this.#observedTimeUnixNano = observedTimeUnixNano;
    this.#memory = memory;
    this.#likely = likely ?? FIRST_SIZE;
  }

  /** The size for the next run of this label: a quarter more than this one. */
  get nextSize(): RunSize {
    return {
      bytes: Math.max(FIRST_SIZE.bytes, Math.ceil((this.#bytes * 5) / 4)),
      records: Math.max(FIRST_SIZE.records, Math.ceil((this.#records * 5) / 4)),
    };
  }

  /** An empty run has room for any record. */
  hasRoomFor(bytes: number, peer?: Resource): boolean {
    return this.#hasRoomAfter(0, 0, bytes, peer);
  }

  /** `bytes` and `records` will be added before the record of this size. */
  #hasRoomAfter(bytes: number, records: number, size: number, peer: Resource | undefined): boolean {
    if (this.#records + records === 0) return true;
    if (this.#peers?.hasRoomFor(peer) === false) return false;
    return (
      this.#bytes + bytes + size <= this.#memory.runBytes && this.#records + records < LIMITS.batchRecords
    );
  }

  /** Copies the record. */
  add(record: Uint8Array, peer?: Resource): void {
    this.#begin(record.length, peer);
    this.#data.set(record, this.#bytes);
    this.#bytes += record.length;
  }

  /** Copies the records from `index` on, whose bytes begin at `offset`: as many as there is room for. */
  addRun(run: AppendedRun, index: number, offset: number): RunSize {
    const { sizes, peer, peers, recordPeers } = run;
    if (peers === undefined && index === 0 && this.#hasRoomForAll(run)) {
      this.#addPeer(peer, sizes.length);
      return this.#copy(run, 0, 0, { bytes: run.data.length, records: sizes.length });
    }
    let bytes = 0;
    let records = 0;
    for (let at = index; at < sizes.length; at++) {
      const size = sizes[at] ?? 0;
      const sender = peers === undefined ? peer : peers[recordPeers?.[at] ?? 0];
      if (!this.#hasRoomAfter(bytes, records, size, sender)) break;
      this.#addPeer(sender, 1);
      bytes += size;
      records++;
    }
    return this.#copy(run, index, offset, { bytes, records });
  }

  /** Of one sender: the common case costs nothing for each record. */
  #hasRoomForAll({ data, sizes, peer }: AppendedRun): boolean {
    const records = this.#records + sizes.length;
    const isSmall = this.#bytes + data.length <= this.#memory.runBytes && records <= LIMITS.batchRecords;
    return isSmall && this.#peers?.hasRoomFor(peer) !== false;
  }

  #copy(run: AppendedRun, index: number, offset: number, size: RunSize): RunSize {
    const { bytes, records } = size;
    this.#grow(this.#bytes + bytes, this.#records + records);
    this.#data.set(run.data.subarray(offset, offset + bytes), this.#bytes);
    this.#sizes.set(run.sizes.subarray(index, index + records), this.#records);
    this.#bytes += bytes;
    this.#records += records;
    return size;
  }

  /** Copies the line, and ends it with LF. */
  addWithLf(line: Uint8Array, peer?: Resource): void {
    this.#begin(line.length + 1, peer);
    this.#data.set(line, this.#bytes);
    this.#bytes += line.length + 1;
    this.#data[this.#bytes - 1] = LF;
  }

  done(): RecordRun {
    return {
      label: this.label,
      observedTimeUnixNano: this.#observedTimeUnixNano,
      sizes: this.#sizes.subarray(0, this.#records),
      data: this.#data.subarray(0, this.#bytes),
      ...this.#peers?.done(),
    };
  }

  #begin(size: number, peer: Resource | undefined): void {
    this.#addPeer(peer, 1);
    this.#grow(this.#bytes + size, this.#records + 1);
    this.#sizes[this.#records++] = size;
  }

  #addPeer(peer: Resource | undefined, records: number): void {
    if (peer !== undefined) this.#peers ??= this.#withoutPeers();
    this.#peers?.add(peer, records);
  }

  #withoutPeers(): PeerColumnBuilder {
    const peers = new PeerColumnBuilder();
    if (this.#records > 0) peers.add(undefined, this.#records);
    return peers;
  }

  #grow(bytes: number, records: number): void {
    if (bytes > this.#data.length) {
      const wanted = this.#data.length === 0 ? this.#likely.bytes : 2 * this.#data.length;
      const { buffers, runBytes } = this.#memory;
      const grown = buffers.take(Math.max(bytes, Math.min(runBytes, wanted)));
      grown.set(this.#data.subarray(0, this.#bytes));
      buffers.release(this.#data);
      this.#data = grown;
    }
    if (records > this.#sizes.length) {
      const grown = new Uint32Array(Math.max(records, this.#likely.records, 2 * this.#sizes.length));
      grown.set(this.#sizes);
      this.#sizes = grown;
    }
  }
}

export interface GrowingRunOptions {
  readonly memory: RunMemory;
  /** The size that the run will probably have, so that its buffers do not have to grow. */
  readonly likely?: RunSize | undefined;
}

export interface RunSize {
  readonly bytes: number;
  readonly records: number;
}

/** Shared by all runs of a journal. */
export interface RunMemory {
  /** A run takes the buffer for its bytes from it. The owner of the finished run releases the buffer. */
  readonly buffers: BufferPool;
  /** The largest run, unless it is a single record. */
  readonly runBytes: number;
}

/** `segmentBytes`: a segment is removed when all its entries are accepted, so a small one must not be one large entry. */
export function runMemory(segmentBytes: number, clock: Clock): RunMemory {
  return {
    buffers: new BufferPool({ largestBytes: BUFFER_BYTES, keptBytes: FREE_BYTES, clock }),
    runBytes: Math.min(RUN_BYTES, Math.max(SMALLEST_RUN_BYTES, segmentBytes)),
  };
}

/** An entry of this size is one batch. It fits into a buffer of the pool, together with the sizes of its records. */
const RUN_BYTES = 960 * 1024;
const SMALLEST_RUN_BYTES = 64 * 1024;
const BUFFER_BYTES = 1024 * 1024;
/** Free buffers of a journal. Those of its newest entries are in use. */
const FREE_BYTES = 4 * BUFFER_BYTES;
const FIRST_SIZE: RunSize = { bytes: 1024, records: 4 };
const LF = 0x0a;
