/** `[from, to)` in whole seconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** In order of time, none touching another; those with at most `gap` seconds between them become one. */
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

/** Grown to whole buckets. */
export function wholeBuckets({ from, to }: Span, periodSeconds: number): Span {
  return {
    from: Math.floor(from / periodSeconds) * periodSeconds,
    to: Math.ceil(to / periodSeconds) * periodSeconds,
  };
}

export function clip({ from, to }: Span, within: Span): Span {
  return { from: Math.max(from, within.from), to: Math.min(to, within.to) };
}

/** Two groups with about half of the buckets each, in order of time; one group when there is a single bucket. */
export function halves(spans: readonly Span[], periodSeconds: number): readonly (readonly Span[])[] {
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

export interface Taken {
  readonly taken: readonly Span[];
  readonly rest: readonly Span[];
}

/** The newest spans (of merged ones): at most `count` of them and `seconds` in all, the last one cut if need be. */
export function takeNewest(spans: readonly Span[], count: number, seconds: number): Taken {
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
