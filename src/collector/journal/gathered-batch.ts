import { LIMITS } from '../../records/limits.ts';
import { NO_MARKS, type RecordBatch } from '../../records/record-batch.ts';
import type { Resource } from '../../records/resource.ts';
import type { StreamId } from '../../records/stream-id.ts';

/** Combines consecutive journal entries with the same label into one batch. */
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

  /** Adds the records of an entry from `position` on, as many as fit; returns whether all of them did. */
  add(entry: RecordBatch, position: number): boolean {
    if (this.#first === undefined) {
      this.#first = entry;
      this.#start = position;
    } else if (position !== this.end || !hasSameLabel(entry, this.#first)) return false;
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

  /**
   * Returns the batch; must not be called when it is empty. `offset` is the difference between positions of
   * the journal and of the stream.
   */
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

function hasSameLabel(a: RecordBatch, b: RecordBatch): boolean {
  return a.format === b.format && sameResource(a.resource, b.resource);
}

function sameResource(a: Resource, b: Resource): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
