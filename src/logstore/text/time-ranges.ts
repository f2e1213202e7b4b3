/** `[from, to)` in microseconds since 1970. */
export interface TimeRange {
  readonly fromUnixMicro: number;
  readonly toUnixMicro: number;
}

/** The parts of a range that none of the others covers, in their order. `others` are in the order of their starts. */
export function uncovered(range: TimeRange, others: readonly TimeRange[]): readonly TimeRange[] {
  const parts: TimeRange[] = [];
  let from = range.fromUnixMicro;
  for (const { fromUnixMicro, toUnixMicro } of others) {
    if (fromUnixMicro >= range.toUnixMicro) break;
    if (fromUnixMicro > from) parts.push({ fromUnixMicro: from, toUnixMicro: fromUnixMicro });
    from = Math.max(from, toUnixMicro);
  }
  if (from < range.toUnixMicro) parts.push({ fromUnixMicro: from, toUnixMicro: range.toUnixMicro });
  return parts;
}

/** At most `count` ranges that cover at least the same times: the smallest gaps are filled. */
export function merged(ranges: readonly TimeRange[], count: number): readonly TimeRange[] {
  if (ranges.length <= count) return ranges;
  const gapBefore = (index: number) =>
    (ranges[index]?.fromUnixMicro ?? 0) - (ranges[index - 1]?.toUnixMicro ?? 0);
  const kept = new Set(
    ranges
      .map((_, index) => index)
      .slice(1)
      .toSorted((a, b) => gapBefore(b) - gapBefore(a))
      .slice(0, count - 1),
  );
  const result: TimeRange[] = [];
  for (const [index, range] of ranges.entries()) {
    const last = result.at(-1);
    if (last === undefined || kept.has(index)) result.push(range);
    else result[result.length - 1] = { ...last, toUnixMicro: range.toUnixMicro };
  }
  return result;
}
