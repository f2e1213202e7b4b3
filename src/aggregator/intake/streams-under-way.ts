import type { StreamId } from '../../records/stream-id.ts';

interface UnderWay {
  batches: number;
  readonly whenSettled: (() => void)[];
}

/**
 * The streams that have batches on their way to the disk, over all calls. When a newer call ends an older one, batches of
 * the older are still to be stored: the answer about the end of a stream must include them.
 */
export class StreamsUnderWay {
  readonly #streams = new Map<StreamId, UnderWay>();

  begin(stream: StreamId): void {
    const underWay = this.#streams.get(stream);
    if (underWay === undefined) this.#streams.set(stream, { batches: 1, whenSettled: [] });
    else underWay.batches++;
  }

  /** The batch is stored, or it is not and never will be. */
  end(stream: StreamId): void {
    const underWay = this.#streams.get(stream);
    if (underWay === undefined || --underWay.batches > 0) return;
    this.#streams.delete(stream);
    for (const callback of underWay.whenSettled) callback();
  }

  /** Calls back at once when nothing is on its way. */
  whenSettled(stream: StreamId, callback: () => void): void {
    const underWay = this.#streams.get(stream);
    if (underWay === undefined) callback();
    else underWay.whenSettled.push(callback);
  }
}
