import { endOfEntry, type SegmentLocation } from '../../storage/segment-format.ts';
import type { SegmentLog } from '../../storage/segment-log.ts';

/** Leaving a segment before it is full is not worth it for less. */
const WORTH_LEAVING = 1 / 4;

/** Which segments hold entries that are still wanted. */
export class JournalSegments {
  readonly #log: SegmentLog;
  readonly #worthLeavingBytes: number;
  readonly #live = new Map<number, number>();
  /** How long the last segment is. */
  #lastSegment = 0;
  #lastBytes = 0;

  constructor(log: SegmentLog, segmentBytes: number) {
    this.#log = log;
    this.#worthLeavingBytes = segmentBytes * WORTH_LEAVING;
  }

  /** On disk, dead entries included. */
  get bytes(): number {
    return this.#log.bytes;
  }

  hold(location: SegmentLocation): void {
    this.#live.set(location.segment, (this.#live.get(location.segment) ?? 0) + 1);
    if (location.segment > this.#lastSegment) this.#lastBytes = 0;
    if (location.segment < this.#lastSegment) return;
    this.#lastSegment = location.segment;
    this.#lastBytes = Math.max(this.#lastBytes, endOfEntry(location));
  }

  release({ segment }: SegmentLocation): void {
    const live = (this.#live.get(segment) ?? 0) - 1;
    if (live > 0) this.#live.set(segment, live);
    else this.#live.delete(segment);
  }

  /** Removes the segments that hold nothing. Not to be called while the log is being written. */
  async removeDead(onFailure: (segment: number, error: Error) => void): Promise<void> {
    for (const segment of this.#log.segments) {
      if (this.#live.has(segment)) continue;
      if (segment === this.#log.segments.at(-1)) {
        if (this.#lastBytes < this.#worthLeavingBytes) continue;
        await this.#log.seal();
        this.#lastBytes = 0;
      }
      try {
        await this.#log.remove(segment);
      } catch (error) {
        onFailure(segment, error as Error);
      }
    }
  }
}
