import type { MetricPoint } from '../../../monitoring/metric-definition.ts';
import { segmentText } from '../segment-text.ts';
import { drawChart } from '../terminal/draw-chart.ts';
import { drawSparkline } from '../terminal/draw-sparkline.ts';
import { formatTable } from '../terminal/format-table.ts';
import { numberText } from '../terminal/number-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { durationText, timeText } from '../terminal/time-text.ts';

const CHART_ROWS = 8;
const MOST_SEGMENTS = 10;
const MIN_BUCKETS = 10;
/** Columns for the names and numbers next to a chart or a sparkline. */
const BESIDE_COLUMNS = 14;
const MOST_NAME_COLUMNS = 24;

/**
 * Draws one series as a chart, several as a sparkline each, the largest first. Empty if there is nothing to
 * see.
 */
export function pointsChart(
  points: readonly MetricPoint[],
  periodSeconds: number,
  terminal: Terminal,
): string {
  const segments = bySegment(points);
  const beside = BESIDE_COLUMNS + (segments.size > 1 ? MOST_NAME_COLUMNS : 0);
  const span = spanOf(points, periodSeconds * 1000, Math.max(MIN_BUCKETS, terminal.columns - beside));
  if (span === undefined) return '';
  const series = [...segments].map(([segment, own]) => ({ segment, values: valuesIn(span, own) }));
  const [only, ...others] = series;
  if (only === undefined || others.length > 0) return sparklines(series, periodSeconds, terminal);
  const [from, to] = [span.fromMs, span.toMs].map((time) => timeText(new Date(time).toISOString(), terminal));
  return drawChart({ values: only.values, from: from ?? '', to: to ?? '', rows: CHART_ROWS });
}

function bySegment(points: readonly MetricPoint[]): ReadonlyMap<string | null, readonly MetricPoint[]> {
  const segments = new Map<string | null, MetricPoint[]>();
  for (const point of points) {
    const own = segments.get(point.segment);
    if (own === undefined) segments.set(point.segment, [point]);
    else own.push(point);
  }
  return segments;
}

/** The newest buckets, as many as can be drawn; the first begins at `fromMs`, the last at `toMs`. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly periodMs: number;
  readonly buckets: number;
}

/** undefined: a single moment has no chart. */
function spanOf(points: readonly MetricPoint[], periodMs: number, most: number): Span | undefined {
  const times = points.map(({ time }) => Date.parse(time)).filter((time) => !Number.isNaN(time));
  const newest = times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const oldest = times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  if (newest <= oldest) return undefined;
  const buckets = Math.min(most, Math.floor((newest - oldest) / periodMs) + 1);
  return { fromMs: newest - (buckets - 1) * periodMs, toMs: newest, periodMs, buckets };
}

function valuesIn({ fromMs, periodMs, buckets }: Span, points: readonly MetricPoint[]) {
  const values = new Map(points.map(({ time, value }) => [Date.parse(time), value]));
  return Array.from({ length: buckets }, (_, index) => values.get(fromMs + index * periodMs) ?? null);
}

interface Series {
  readonly segment: string | null;
  readonly values: readonly (number | null)[];
}

function sparklines(series: readonly Series[], periodSeconds: number, terminal: Terminal): string {
  const withTop = series
    .map((each) => ({
      ...each,
      top: Math.max(...each.values.map((value) => value ?? Number.NEGATIVE_INFINITY)),
    }))
    .sort((a, b) => b.top - a.top);
  const rows = withTop
    .slice(0, MOST_SEGMENTS)
    .map(({ segment, values, top }) => [
      segmentText(segment),
      { text: drawSparkline(values), style: 'cyan' as const },
      numberText(values.at(-1) ?? null),
      Number.isFinite(top) ? numberText(top) : '-',
    ]);
  const buckets = series[0]?.values.length ?? 0;
  const columns = [
    { title: 'segment', flexible: true as const },
    { title: `last ${durationText(buckets * periodSeconds)}` },
    { title: 'last', right: true as const },
    { title: 'most', right: true as const },
  ];
  const left = withTop.length - MOST_SEGMENTS;
  return `${formatTable(columns, rows, terminal)}${left > 0 ? `and ${left} more segments\n` : ''}`;
}
