import { LIMITS } from '../../records/limits.ts';
import { endOf, type RecordBatch } from '../../records/record-batch.ts';
import type { PublishedStream } from './published-stream.ts';

/** The unanswered batches of one call, and the window that bounds their bytes. */
export class SentBatches {
  readonly #sent = new Map<number, { readonly stream: PublishedStream; readonly bytes: number }>();
  #windowBytes: number = LIMITS.unansweredBytes;
  #bytes = 0;
  #lastSequence = 0;

  get size(): number {
    return this.#sent.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The next batch may be sent. */
  get hasRoom(): boolean {
    return this.#bytes < this.#windowBytes;
  }

  /** The aggregator has a smaller window. */
  limitTo(windowBytes: number): void {
    this.#windowBytes = Math.min(LIMITS.unansweredBytes, windowBytes);
  }

  /** Adds a batch; returns its sequence. */
  add(stream: PublishedStream, batch: RecordBatch): number {
    const sequence = ++this.#lastSequence;
    const bytes = batch.data.length;
    this.#sent.set(sequence, { stream, bytes });
    this.#bytes += bytes;
    stream.unanswered.sent({ sequence, start: batch.start, end: endOf(batch) });
    return sequence;
  }

  /** Removes a batch that is answered; returns its stream. */
  answered(sequence: number): PublishedStream | undefined {
    const sent = this.#sent.get(sequence);
    if (sent === undefined) return undefined;
    this.#sent.delete(sequence);
    this.#bytes -= sent.bytes;
    return sent.stream;
  }
}
