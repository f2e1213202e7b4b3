import { type Sql, sql } from '../logstore/sql/sql.ts';
import type { SqlRow } from '../logstore/sql/sql-database.ts';
import type { SqlDialect } from '../logstore/sql/sql-dialect.ts';
import { numberOrNull, textOrNull } from '../logstore/sql/sql-row.ts';
import type { AlertDefinition } from './alert-definition.ts';
import type { Observation } from './alert-state.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { isDoubleSql, statisticSql } from './metric-sql.ts';
import { MonitorError } from './monitor.ts';
import type { Span } from './spans.ts';

/**
 * Returns the window of an alert: the newest computed buckets of the metric, as many as are needed to cover
 * `windowSeconds`. It ends with the metric's complete buckets, so the newest value is at most `endOffset`, a
 * refresh and a check old. If the metric is not refreshed, its alerts keep their last values.
 *
 * Before the metric's first bucket nothing is known, so the window is shorter there. undefined: there is no
 * bucket yet.
 */
export function alertWindow(
  alert: AlertDefinition,
  { periodSeconds }: MetricDefinition,
  computed: Span,
): Span | undefined {
  const seconds = Math.ceil(alert.windowSeconds / periodSeconds) * periodSeconds;
  const from = Math.max(computed.from, computed.to - seconds);
  return from < computed.to ? { from, to: computed.to } : undefined;
}

/**
 * Maximum number of buckets in a window, and of segments that are checked, those with the highest sum first.
 */
export const MAX_WINDOW_BUCKETS = 10_000;
export const MAX_WINDOW_SEGMENTS = 2000;

/** Throws MonitorError if the window of the alert has too many buckets of its metric. */
export function assertFits(
  { windowSeconds }: AlertDefinition,
  { id, periodSeconds }: MetricDefinition,
): void {
  if (windowSeconds / periodSeconds <= MAX_WINDOW_BUCKETS) return;
  throw new MonitorError(
    'invalid',
    `A window of ${windowSeconds} s has more than ${MAX_WINDOW_BUCKETS} buckets of the metric ${id}. Shorten the window.`,
  );
}

/** Whether a bucket without records counts as 0. */
export function fillsMissing({ fillMissing }: AlertDefinition, { statistic }: MetricDefinition): boolean {
  return fillMissing ?? statistic === 'count';
}

/**
 * The statistic over the observations in the window, for each segment that has one. With `fillMissing`,
 * buckets without an observation count as zeros: an average over the active seconds alone would be
 * misleading. `count` always counts only existing observations.
 */
export function observedSql(
  dialect: SqlDialect,
  alert: AlertDefinition,
  { metric, points, window: { from, to } }: ObservedMetric,
): Sql {
  const buckets = (to - from) / metric.periodSeconds;
  const present = sql`
    select segment, value from ${points} as points
    where ${isDoubleSql(sql`value`)}
      and bucket >= ${dialect.timestamp(from * 1e6)} and bucket < ${dialect.timestamp(to * 1e6)}`;
  const missing = sql`
    select segment, 0::float8 as value
    from (select segment, ${buckets}::bigint - count(*) as missing from (${present}) as present group by segment) as segments,
      generate_series(1, ${buckets}::bigint) as series(number)
    where number <= missing`;
  const isFilled = fillsMissing(alert, metric) && alert.statistic !== 'count';
  const observations = isFilled ? sql`${present} union all ${missing}` : present;
  return sql`
    select segment, ${statisticSql(dialect, alert.statistic, sql`value`)} as observed
    from (${observations}) as observations
    group by segment order by sum(${bounded(sql`value`)}) desc, segment limit ${MAX_WINDOW_SEGMENTS}::bigint`;
}

export interface ObservedMetric {
  readonly metric: MetricDefinition;
  /** Its points as a table. */
  readonly points: Sql;
  readonly window: Span;
}

/** Bounds the values so that their sum cannot overflow; only its order matters. */
function bounded(value: Sql): Sql {
  return sql`greatest(least(${value}, 1e300::float8), -1e300::float8)`;
}

export function observationOf(row: SqlRow): Observation {
  const observed = numberOrNull(row, 'observed');
  return {
    segment: textOrNull(row, 'segment'),
    observed: observed !== null && Number.isFinite(observed) ? observed : null,
  };
}

/** The same statistic for a window without records: of zeros alone, or of nothing. */
export function observedWithoutRecords(
  alert: AlertDefinition,
  metric: MetricDefinition,
  { from, to }: Span,
): number | null {
  if (!fillsMissing(alert, metric)) return null;
  const buckets = (to - from) / metric.periodSeconds;
  const isSpread = alert.statistic === 'stddev' || alert.statistic === 'variance';
  return isSpread && buckets < 2 ? null : 0;
}
