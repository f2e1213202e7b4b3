/** A preview of the aggregator has at most 2000 intervals, with those of the first window. */
const MAX_INTERVALS = 1990;
const DAY_SECONDS = 86_400;
const MIN_INTERVALS = 10;

/** The length of a preview: a day, or less if the metric has short intervals. */
export function previewSeconds(
  { windowSeconds }: { readonly windowSeconds: string },
  periodSeconds: number | undefined,
): number {
  if (periodSeconds === undefined) return DAY_SECONDS;
  const available = MAX_INTERVALS * periodSeconds - Number(windowSeconds);
  return Math.max(Math.min(DAY_SECONDS, available), MIN_INTERVALS * periodSeconds);
}
