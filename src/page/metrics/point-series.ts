import type { MetricPoint } from '../api/monitoring.ts';

/** A line of a chart: a value for each time; null: none. */
interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

export interface PointSeries {
  /** Ascending. */
  readonly timesMs: readonly number[];
  readonly series: readonly Series[];
  /** Segments that are not among the series. */
  readonly leftOut: number;
}

/** A chart with more lines cannot be read. */
export const MAX_SERIES = 8;

export const NO_SEGMENT = 'no value';

/**
 * One series for each segment: those with the largest sums first. `valueName`: the name of the only series of a metric
 * without segments; undefined for a metric with segments.
 */
export function pointSeries(points: readonly MetricPoint[], valueName: string | undefined): PointSeries {
  const timesMs = [...new Set(points.map(({ time }) => Date.parse(time)))].sort((a, b) => a - b);
  const place = new Map(timesMs.map((ms, at) => [ms, at]));
  const values = new Map<string, (number | null)[]>();
  for (const { time, segment, value } of points) {
    const name = segment ?? valueName ?? NO_SEGMENT;
    const row = values.get(name) ?? timesMs.map(() => null);
    values.set(name, row);
    row[place.get(Date.parse(time)) ?? 0] = value;
  }
  const all = [...values]
    .map(([name, row]) => ({
      name,
      values: row,
      sum: row.reduce<number>((sum, each) => sum + Math.abs(each ?? 0), 0),
    }))
    .sort((a, b) => b.sum - a.sum);
  const series = all.slice(0, MAX_SERIES).map(({ name, values: row }) => ({ name, values: row }));
  return { timesMs, series, leftOut: all.length - series.length };
}
