import { LIMITS } from '../../records/limits.ts';
import { NO_MARKS, type RecordBatch } from '../../records/record-batch.ts';
import type { Resource } from '../../records/resource.ts';
import type { StreamId } from '../../records/stream-id.ts';

/** Puts entries of a journal that follow each other and say the same of their records into one batch. */
export class GatheredBatch {
  readonly #buffer: Buffer;
  readonly #sizes: number[] = [];
  #first: RecordBatch | undefined;
  #start = 0;
  #bytes = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get isEmpty(): boolean {
    return this.#sizes.length === 0;
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

  /** Adds the records of an entry from the one at `position` on, as many as fit; whether all of them did. */
  add(entry: RecordBatch, position: number): boolean {
    if (this.#first === undefined) {
      this.#first = entry;
      this.#start = position;
    } else if (position !== this.end || !saysTheSame(entry, this.#first)) return false;
    let at = entry.start;
    for (const size of entry.sizes) {
      if (at >= position) {
        if (this.#bytes + size > this.#buffer.length || this.#sizes.length === LIMITS.batchRecords)
          return false;
        this.#buffer.set(entry.data.subarray(at - entry.start, at - entry.start + size), this.#bytes);
        this.#sizes.push(size);
        this.#bytes += size;
      }
      at += size;
    }
    return true;
  }

  /** The batch; `offset` lies between positions of the journal and of the stream. Not to be asked when empty. */
  done(stream: StreamId, offset: number): RecordBatch {
    const { resource, format, observedTimeUnixNano } = this.#first as RecordBatch;
    return {
      stream,
      start: this.#start - offset,
      resource,
      format,
      observedTimeUnixNano,
      sizes: Uint32Array.from(this.#sizes),
      marks: NO_MARKS,
      data: this.data,
    };
  }
}

function saysTheSame(a: RecordBatch, b: RecordBatch): boolean {
  return a.format === b.format && sameResource(a.resource, b.resource);
}

function sameResource(a: Resource, b: Resource): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
