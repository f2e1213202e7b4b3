import type { Position } from '../../records/position.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { endOf } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';

/** What a call knows of a stream: opened, refused with a reason, or neither. */
export class CallStreams {
  readonly #limit: number;
  readonly #streams = new Map<StreamId, { nextStart: Position; refusal: string | undefined }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Opening again lifts a refusal: the collector tries once more. False: too many. */
  open(stream: StreamId): boolean {
    if (!this.#streams.has(stream) && this.#streams.size >= this.#limit) return false;
    this.#streams.set(stream, { nextStart: 0, refusal: undefined });
    return true;
  }

  forget(stream: StreamId): void {
    this.#streams.delete(stream);
  }

  refuse(stream: StreamId, refusal: string): void {
    const known = this.#streams.get(stream);
    if (known !== undefined) known.refusal = refusal;
  }

  /** Why this batch may not be taken; undefined when it may, and its place in the stream is noted. */
  objection(batch: RecordBatch): string | undefined {
    const known = this.#streams.get(batch.stream);
    if (known === undefined) return 'the stream was not opened on this call';
    if (known.refusal !== undefined) return known.refusal;
    if (batch.start < known.nextStart) return 'positions go backwards';
    known.nextStart = endOf(batch);
    return undefined;
  }
}
