import type { Statistic } from './metric-definition.ts';

/** A statistic of values, as `statisticSql` computes it in a store; null: there are too few values. */
export function statisticOf(statistic: Statistic, values: readonly number[]): number | null {
  if (statistic === 'count') return values.length;
  if (values.length === 0) return null;
  switch (statistic) {
    case 'avg':
      return meanOf(values);
    case 'min':
      return values.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
    case 'max':
      return values.reduce((most, each) => Math.max(most, each), Number.NEGATIVE_INFINITY);
    case 'variance':
      return varianceOf(values);
    case 'stddev': {
      const variance = varianceOf(values);
      return variance === null ? null : Math.sqrt(variance);
    }
    case 'p50':
      return percentileOf(values, 0.5);
    case 'p95':
      return percentileOf(values, 0.95);
    case 'p99':
      return percentileOf(values, 0.99);
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

/** Of a sample. */
function varianceOf(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = meanOf(values);
  return values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1);
}

/** Interpolated between the two nearest values. */
function percentileOf(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}
