import type { RecordBatch } from '../../../records/record-batch.ts';
import type { Resource } from '../../../records/resource.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import type { Clock } from '../../../runtime/clock.ts';

/** A stream that had an accepted batch since the start of the aggregator. */
export interface ActiveStream {
  readonly stream: StreamId;
  /** The id of its collector; undefined: unknown. */
  readonly collector: string | undefined;
  /** Of its newest batch. */
  readonly resource: Resource;
  readonly format: string;
  readonly lastSeenUnixNano: bigint;
  /** Accepted since the stream was registered, repetitions included. */
  readonly records: number;
  readonly receivedBytes: number;
}

export interface StreamRegisterLimits {
  readonly streams: number;
  /** Of the texts of all resources together. */
  readonly bytes: number;
}

/**
 * The origin of the streams of this run, for operators: the ledger has only their positions. A peer decides about
 * the number of its streams and the size of their resources, so both are limited: the streams without a batch
 * for the longest time are removed.
 */
export class StreamRegister {
  readonly #clock: Clock;
  readonly #limits: StreamRegisterLimits;
  /** The one with the newest batch is the last. */
  readonly #streams = new Map<StreamId, Entry>();
  #bytes = 0;

  constructor(clock: Clock, limits: StreamRegisterLimits = LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get count(): number {
    return this.#streams.size;
  }

  /** A batch of the stream was accepted. */
  accepted({ stream, resource, format, sizes, data }: RecordBatch, collector: string | undefined): void {
    const { records = 0, receivedBytes = 0 } = this.#streams.get(stream) ?? {};
    this.#forget(stream);
    const bytes = sizeOf(resource) + format.length;
    this.#streams.set(stream, {
      collector,
      resource,
      format,
      lastSeenUnixNano: this.#clock.nowUnixNano(),
      records: records + sizes.length,
      receivedBytes: receivedBytes + data.length,
      bytes,
    });
    this.#bytes += bytes;
    for (const oldest of this.#streams.keys()) {
      if (this.#streams.size <= this.#limits.streams && this.#bytes <= this.#limits.bytes) break;
      this.#forget(oldest);
    }
  }

  /** The newest first. */
  list(limit: number, collector?: string): readonly ActiveStream[] {
    const found: ActiveStream[] = [];
    for (const [stream, { bytes: _bytes, ...entry }] of [...this.#streams].toReversed()) {
      if (collector !== undefined && entry.collector !== collector) continue;
      if (found.length >= limit) break;
      found.push({ stream, ...entry });
    }
    return found;
  }

  /** All of them, without the cost of copies. */
  entries(): IterableIterator<readonly [StreamId, Omit<ActiveStream, 'stream'>]> {
    return this.#streams.entries();
  }

  #forget(stream: StreamId): void {
    this.#bytes -= this.#streams.get(stream)?.bytes ?? 0;
    this.#streams.delete(stream);
  }
}

type Entry = Omit<ActiveStream, 'stream'> & { readonly bytes: number };

const LIMITS: StreamRegisterLimits = { streams: 10_000, bytes: 8 * 1024 * 1024 };

function sizeOf(resource: Resource): number {
  let bytes = 0;
  for (const [name, value] of resource) bytes += name.length + value.length;
  return bytes;
}
