import { endOfEntry, type SegmentLocation } from '../../storage/segments/segment-format.ts';
import type { SegmentLog } from '../../storage/segments/segment-log.ts';

/** Counts the live entries of each segment. */
export class JournalSegments {
  readonly #log: SegmentLog;
  readonly #minSealBytes: number;
  readonly #live = new Map<number, number>();
  /** Length of the last segment. */
  #lastSegment = 0;
  #lastBytes = 0;

  constructor(log: SegmentLog, segmentBytes: number) {
    this.#log = log;
    this.#minSealBytes = segmentBytes * MIN_SEAL_SHARE;
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

  /** Removes segments without live entries. Must not be called during a write to the log. */
  async removeDead(onFailure: (segment: number, error: Error) => void): Promise<void> {
    for (const segment of this.#log.segments) {
      if (this.#live.has(segment)) continue;
      if (segment === this.#log.segments.at(-1)) {
        if (this.#lastBytes < this.#minSealBytes) continue;
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

/** A segment is sealed before it is full only from this share on. */
const MIN_SEAL_SHARE = 1 / 4;
