import type { StreamId } from '../../records/stream-id.ts';

/**
 * The streams that have batches without an outcome, over all senders. When a newer call ends an older one, batches of the
 * older call may still be stored: the answer about the end of a stream must include them.
 */
export class StreamsUnderWay {
  readonly #streams = new Map<StreamId, UnderWay>();

  begin(stream: StreamId): void {
    const underWay = this.#streams.get(stream);
    if (underWay === undefined) this.#streams.set(stream, { batches: 1, whenSettled: [] });
    else underWay.batches++;
  }

  /** A batch of the stream is stored, or will never be. */
  end(stream: StreamId): void {
    const underWay = this.#streams.get(stream);
    if (underWay === undefined || --underWay.batches > 0) return;
    this.#streams.delete(stream);
    for (const callback of underWay.whenSettled) callback();
  }

  /** Calls back when the stream has no batch without an outcome; at once if it has none. */
  whenSettled(stream: StreamId, callback: () => void): void {
    const underWay = this.#streams.get(stream);
    if (underWay === undefined) callback();
    else underWay.whenSettled.push(callback);
  }
}

interface UnderWay {
  batches: number;
  readonly whenSettled: (() => void)[];
}
