import { MICRO_PER_MINUTE } from '../../logstore/stored-times.ts';
import type { TimeRange } from '../../logstore/text/time-ranges.ts';

/** The time ranges that have a sketch: in their order, none overlaps with another one. */
export class SketchedRanges {
  readonly #ranges: TimeRange[];

  constructor(sorted: readonly TimeRange[]) {
    this.#ranges = [...sorted];
  }

  [Symbol.iterator](): Iterator<TimeRange> {
    return this.#ranges.values();
  }

  /** The first part without a sketch that begins at this time or later; it may have no end. */
  gapFrom(unixMicro: number): TimeRange {
    let fromUnixMicro = unixMicro;
    for (let index = this.#indexAfter(unixMicro); index < this.#ranges.length; index++) {
      const range = this.#ranges[index] as TimeRange;
      if (range.fromUnixMicro > fromUnixMicro) return { fromUnixMicro, toUnixMicro: range.fromUnixMicro };
      fromUnixMicro = range.toUnixMicro;
    }
    return { fromUnixMicro, toUnixMicro: Number.POSITIVE_INFINITY };
  }

  /** The ranges that overlap with any of these minutes since 1970. */
  touched(minutes: Iterable<number>): readonly TimeRange[] {
    const touched = new Set<TimeRange>();
    const end = this.#ranges.at(-1)?.toUnixMicro ?? 0;
    for (const minute of minutes) {
      const from = minute * MICRO_PER_MINUTE;
      if (from >= end) continue;
      for (let index = this.#indexAfter(from); index < this.#ranges.length; index++) {
        const range = this.#ranges[index] as TimeRange;
        if (range.fromUnixMicro >= from + MICRO_PER_MINUTE) break;
        touched.add(range);
      }
    }
    return [...touched];
  }

  add(range: TimeRange): void {
    this.#ranges.splice(this.#indexAfter(range.fromUnixMicro), 0, range);
  }

  delete(ranges: readonly TimeRange[]): void {
    for (const range of ranges) {
      const index = this.#indexAfter(range.fromUnixMicro);
      if (this.#ranges[index]?.fromUnixMicro === range.fromUnixMicro) this.#ranges.splice(index, 1);
    }
  }

  /** The index of the first range that ends after this time. */
  #indexAfter(unixMicro: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as TimeRange).toUnixMicro > unixMicro) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
