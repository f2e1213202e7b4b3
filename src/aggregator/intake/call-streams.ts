import type { Position } from '../../records/position.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { endOf } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { SharedLimit } from './shared-limit.ts';

interface CallStream {
  nextStart: Position;
  /** The end that the collector was told. */
  openedEnd: Position;
  refusal: string | undefined;
}

/** What a call knows of a stream: opened, refused with a reason, or neither. */
export class CallStreams {
  readonly #limit: number;
  readonly #allCalls: SharedLimit;
  readonly #streams = new Map<StreamId, CallStream>();

  constructor(limit: number, allCalls: SharedLimit) {
    this.#limit = limit;
    this.#allCalls = allCalls;
  }

  /** Opening again lifts a refusal: the collector tries once more. False: too many. */
  open(stream: StreamId): boolean {
    if (!this.#streams.has(stream) && (this.#streams.size >= this.#limit || !this.#allCalls.take()))
      return false;
    // Until it is answered.
    this.#streams.set(stream, { nextStart: 0, openedEnd: 0, refusal: NOT_OPENED });
    return true;
  }

  opened(stream: StreamId, end: Position): void {
    if (this.#streams.has(stream))
      this.#streams.set(stream, { nextStart: 0, openedEnd: end, refusal: undefined });
  }

  isOpen(stream: StreamId): boolean {
    const known = this.#streams.get(stream);
    return known !== undefined && known.refusal === undefined;
  }

  openedEnd(stream: StreamId): Position {
    return this.#streams.get(stream)?.openedEnd ?? 0;
  }

  forget(stream: StreamId): void {
    if (this.#streams.delete(stream)) this.#allCalls.give(1);
  }

  forgetAll(): void {
    this.#allCalls.give(this.#streams.size);
    this.#streams.clear();
  }

  refuse(stream: StreamId, refusal: string): void {
    const known = this.#streams.get(stream);
    if (known !== undefined) known.refusal = refusal;
  }

  /** Why this batch is refused; undefined when it is not, and its place in the stream is noted. */
  objection(batch: RecordBatch): string | undefined {
    const known = this.#streams.get(batch.stream);
    if (known === undefined) return NOT_OPENED;
    if (known.refusal !== undefined) return known.refusal;
    if (batch.start < known.nextStart) return 'positions go backwards';
    known.nextStart = endOf(batch);
    return undefined;
  }
}

const NOT_OPENED = 'the stream was not opened on this call';
