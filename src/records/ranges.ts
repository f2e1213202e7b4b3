import type { Position, Range } from './position.ts';

/**
 * Arithmetic on the ranges of one stream.
 *
 * It uses ranges, not a high-water mark: after a failover a later part of a stream may be stored before an
 * earlier one, which a mark would treat as a repetition and drop.
 *
 * Invariant of each `Ranges`: ascending, disjoint, never touching (`[0,5) [5,9)` is `[0,9)`), none empty.
 * There is usually one.
 */
export type Ranges = readonly Range[];

export const NO_RANGES: Ranges = [];

/** `ranges` with `added` united into them. */
export function addRange(ranges: Ranges, added: Range): Ranges {
  if (added.start >= added.end) return ranges;
  const last = ranges.at(-1);
  // The most common cases: the first range, and growth of the last one.
  if (last === undefined || added.start > last.end) return [...ranges, added];
  if (added.start === last.end) return [...ranges.slice(0, -1), { start: last.start, end: added.end }];

  let { start, end } = added;
  const before: Range[] = [];
  const after: Range[] = [];
  for (const range of ranges) {
    if (range.end < start) before.push(range);
    else if (range.start > end) after.push(range);
    else {
      start = Math.min(start, range.start);
      end = Math.max(end, range.end);
    }
  }
  return [...before, { start, end }, ...after];
}

/** The parts of `range` that are in none of `ranges`, ascending. */
export function outside(range: Range, ranges: Ranges): Range[] {
  const parts: Range[] = [];
  let { start } = range;
  for (const taken of ranges) {
    if (taken.end <= start) continue;
    if (taken.start >= range.end) break;
    if (taken.start > start) parts.push({ start, end: taken.start });
    start = taken.end;
    if (start >= range.end) return parts;
  }
  if (start < range.end) parts.push({ start, end: range.end });
  return parts;
}

/** The end of the bytes without a gap, starting at `from`. */
export function contiguousEnd(from: Position, ranges: Ranges): Position {
  for (const range of ranges) {
    if (range.start > from) break;
    if (range.end > from) return range.end;
  }
  return from;
}

/** The end of the last range; 0 when there is none. */
export function lastEnd(ranges: Ranges): Position {
  return ranges.at(-1)?.end ?? 0;
}

/** The total number of bytes of the ranges. */
export function totalBytes(ranges: Ranges): number {
  let sum = 0;
  for (const range of ranges) sum += range.end - range.start;
  return sum;
}
