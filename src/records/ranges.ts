import type { Position, Range } from './position.ts';

/**
 * Arithmetic on the ranges of one stream.
 *
 * Ranges, not a high-water mark: after a failover a later part of a stream may be stored before an earlier part,
 * and a mark would take the earlier part for a repetition and drop it.
 *
 * Invariant of every `Ranges`: ascending, disjoint, never touching (`[0,5) [5,9)` is `[0,9)`), none empty.
 * Nearly always there is one.
 */
export type Ranges = readonly Range[];

export const NO_RANGES: Ranges = [];

/** `ranges` with `added` united into them. */
export function addRange(ranges: Ranges, added: Range): Ranges {
  if (added.start >= added.end) return ranges;
  const last = ranges.at(-1);
  // By far the most common cases: the first range, and the last one growing.
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

/** The parts of `range` that lie in none of `ranges`, ascending. */
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

/** How far the bytes are there without a gap, going up from `from`. */
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

/** How many bytes the ranges hold together. */
export function totalBytes(ranges: Ranges): number {
  let sum = 0;
  for (const range of ranges) sum += range.end - range.start;
  return sum;
}
