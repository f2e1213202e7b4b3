import { useMemo } from 'preact/hooks';
import type { MetricPoint } from '../api/monitoring.ts';
import { Chart } from '../components/chart.tsx';
import { TimeText } from '../components/texts.tsx';
import { shortNumber } from '../text/numbers.ts';
import { MAX_SERIES, type PointSeries, pointSeries } from './point-series.ts';

export interface PointsChartProps {
  readonly label: string;
  readonly points: readonly MetricPoint[];
  readonly hasSegments: boolean;
  /** The name of the only series. */
  readonly valueName?: string;
  /** The level of an alert. */
  readonly level?: number | undefined;
  readonly height?: number;
  /** Shown instead of a chart without values. */
  readonly emptyText: string;
}

const MAX_ROWS = 200;

/** Points as lines, and as a table for those who cannot see the lines. */
export function PointsChart({
  label,
  points,
  hasSegments,
  valueName = 'value',
  level,
  height,
  emptyText,
}: PointsChartProps) {
  const shown = useMemo(
    () => pointSeries(points, hasSegments ? undefined : valueName),
    [points, hasSegments, valueName],
  );
  if (shown.timesMs.length === 0) return <p class="muted">{emptyText}</p>;
  return (
    <>
      <Chart
        label={label}
        timesMs={shown.timesMs}
        series={shown.series}
        level={level}
        {...(height !== undefined && { height })}
      />
      {shown.leftOut > 0 && (
        <p class="muted">
          The chart has the {MAX_SERIES} largest segments; {shown.leftOut} more have values.
        </p>
      )}
      <details class="values">
        <summary>Values</summary>
        <ValueTable {...shown} caption={label} />
      </details>
    </>
  );
}

function ValueTable({ timesMs, series, caption }: PointSeries & { readonly caption: string }) {
  const rows = timesMs
    .map((ms, at) => ({ ms, at }))
    .toReversed()
    .slice(0, MAX_ROWS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="table-frame values-table" tabIndex={0} aria-label={caption}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ name }) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ ms, at }) => (
            <tr key={ms}>
              <td>
                <TimeText time={new Date(ms).toISOString()} digits={0} />
              </td>
              {series.map(({ name, values }) => (
                <td key={name} class="number">
                  {values[at] == null ? '-' : shortNumber(values[at])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
