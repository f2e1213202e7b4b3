/** `[from, to)` in whole seconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Sorts spans by time and merges those with at most `gap` seconds between them. */
export function mergeSpans(spans: readonly Span[], gap = 0): readonly Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    if (span.to <= span.from) continue;
    const last = merged.at(-1);
    if (last !== undefined && span.from <= last.to + gap) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    } else {
      merged.push(span);
    }
  }
  return merged;
}

/** Extends a span to whole buckets. */
export function wholeBuckets({ from, to }: Span, periodSeconds: number): Span {
  return {
    from: Math.floor(from / periodSeconds) * periodSeconds,
    to: Math.ceil(to / periodSeconds) * periodSeconds,
  };
}

export function clipSpan({ from, to }: Span, within: Span): Span {
  return { from: Math.max(from, within.from), to: Math.min(to, within.to) };
}

/**
 * Splits spans into two groups with about half of the buckets each, in order of time; one group for a single
 * bucket.
 */
export function splitSpans(spans: readonly Span[], periodSeconds: number): readonly (readonly Span[])[] {
  const [only, ...more] = spans;
  if (only === undefined) return [];
  if (more.length > 0) {
    const middle = Math.ceil(spans.length / 2);
    return [spans.slice(0, middle), spans.slice(middle)];
  }
  const buckets = (only.to - only.from) / periodSeconds;
  if (buckets < 2) return [[only]];
  const middle = only.from + Math.floor(buckets / 2) * periodSeconds;
  return [[{ from: only.from, to: middle }], [{ from: middle, to: only.to }]];
}

export interface TakenSpans {
  readonly taken: readonly Span[];
  readonly rest: readonly Span[];
}

/**
 * Takes the newest of merged spans: at most `count` spans and `seconds` in all; the last one is cut if
 * necessary.
 */
export function takeNewest(spans: readonly Span[], count: number, seconds: number): TakenSpans {
  const rest = [...spans];
  const taken: Span[] = [];
  let left = seconds;
  while (taken.length < count && left > 0) {
    const span = rest.pop();
    if (span === undefined) break;
    const from = Math.max(span.from, span.to - left);
    taken.push({ from, to: span.to });
    if (from > span.from) rest.push({ from: span.from, to: from });
    left -= span.to - from;
  }
  return { taken, rest };
}
