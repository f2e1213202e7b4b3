import type { Position } from '../../../records/position.ts';
import type { RecordBatch } from '../../../records/record-batch.ts';
import { endOf } from '../../../records/record-batch.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import type { SharedLimit } from './shared-limit.ts';

/** The streams of one call. Each is opening, open, or refused with a reason. */
export class CallStreams {
  readonly #limit: number;
  readonly #allCalls: SharedLimit;
  readonly #streams = new Map<StreamId, CallStream>();

  constructor(limit: number, allCalls: SharedLimit) {
    this.#limit = limit;
    this.#allCalls = allCalls;
  }

  /**
   * The collector has requested the stream; it is not open before `opened`. A refused stream may be opened again. False:
   * there are too many streams.
   */
  open(stream: StreamId): boolean {
    if (!this.#streams.has(stream) && (this.#streams.size >= this.#limit || !this.#allCalls.take()))
      return false;
    this.#streams.set(stream, { nextStart: 0, openedEnd: 0, refusal: NOT_OPENED });
    return true;
  }

  /** The collector was sent this end. */
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

  /** Adds the batch to its stream. Returns why it is refused; undefined when it was added. */
  add(batch: RecordBatch): string | undefined {
    const known = this.#streams.get(batch.stream);
    if (known === undefined) return NOT_OPENED;
    if (known.refusal !== undefined) return known.refusal;
    if (batch.start < known.nextStart) return 'the batch starts before the end of the previous one';
    known.nextStart = endOf(batch);
    return undefined;
  }
}

const NOT_OPENED = 'the stream is not open on this call';

interface CallStream {
  nextStart: Position;
  /** The end that the collector was sent. */
  openedEnd: Position;
  refusal: string | undefined;
}
