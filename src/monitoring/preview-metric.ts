import { closedTimeSpan } from '../logstore/logs/time-span.ts';
import { sql } from '../logstore/sql/sql.ts';
import { numberOf, numberOrNull, textOrNull } from '../logstore/sql/sql-row.ts';
import { formatIsoTime } from './format-iso-time.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { finiteSql, observationsSql } from './metric-sql.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import type { PreviewPoint } from './preview-definition.ts';
import { type Span, wholeBuckets } from './spans.ts';

/** An observation of a metric; `time` in seconds since 1970. */
export interface ComputedPoint {
  readonly time: number;
  readonly segment: string | null;
  readonly value: number | null;
}

/**
 * Computes the points of a metric from the records, without storing them. The segments with the most values are
 * kept. `metric`: with the expressions of its log groups. Rejects with SqlError or MonitorError.
 */
export async function previewMetric(
  database: MonitorDatabase,
  metric: MetricDefinition,
  span: Span,
): Promise<readonly ComputedPoint[]> {
  const buckets = (span.to - span.from) / metric.periodSeconds;
  if (buckets > MAX_BUCKETS) {
    throw new MonitorError(
      'invalid',
      `A preview has at most ${MAX_BUCKETS} buckets, got ${buckets}. Choose a shorter time, or a longer period.`,
    );
  }
  const { dialect } = database;
  const [rows = []] = await database.read([
    sql`select ${dialect.unixMicro(sql`bucket`)} as time_micro, segment, ${finiteSql(sql`value`)} as value
      from (
        select bucket, segment, value, dense_rank() over (order by records desc, segment) as place
        from (
          select bucket, segment, value, sum(count) over (partition by segment) as records
          from (${observationsSql(dialect, metric, span)}) as computed
        ) as counted
      ) as ranked
      where place <= ${MAX_SEGMENTS}::bigint order by bucket, place`,
  ]);
  return rows.map((row) => ({
    time: Math.round(numberOf(row, 'time_micro') / 1e6),
    segment: textOrNull(row, 'segment'),
    value: numberOrNull(row, 'value'),
  }));
}

/** The whole buckets of a request. */
export function previewSpan(
  range: Parameters<typeof closedTimeSpan>[0],
  { periodSeconds }: MetricDefinition,
  nowUnixMicro: number,
): Span {
  const { fromUnixMicro, toUnixMicro } = closedTimeSpan(range, nowUnixMicro);
  return wholeBuckets({ from: fromUnixMicro / 1e6, to: toUnixMicro / 1e6 }, periodSeconds);
}

export function shownPoint({ time, segment, value }: ComputedPoint): PreviewPoint {
  return { time: formatIsoTime(time * 1e6), segment, value };
}

const MAX_BUCKETS = 2000;
const MAX_SEGMENTS = 20;
