import { postgresDialect } from '../logstore/sql/postgres-dialect.ts';
import { type Sql, sql } from '../logstore/sql/sql.ts';
import { sqlName } from '../logstore/sql/sql-name.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { MAX_SEGMENTS } from './metric-sql.ts';
import type { Progress, StoredAggregate } from './watermark.ts';

/**
 * The points of a metric as a table of `bucket`, `segment`, `value` and `count`. They are in `metric_points`; with a
 * continuous aggregate, those that it has computed are in its table, and `metric_points` has older ones (of an earlier
 * definition). A bucket is in one of the two.
 */
export function pointSource(id: string, aggregate: StoredAggregate | undefined): Sql {
  const stored = sql`select bucket, segment, value, count from metric_points where metric = ${id}::text`;
  if (aggregate === undefined) return sql`(${stored})`;
  return sql`(${stored} union all select bucket, segment, value, count from ${materializedIn(aggregate)})`;
}

/**
 * The same for readers. The buckets that became complete after the last refresh are included: the view computes them
 * from the records (real-time aggregation), at most `MAX_LIVE_SECONDS` of them.
 */
export function livePointSource(
  { id, periodSeconds, endOffsetSeconds }: MetricDefinition,
  { aggregate, position }: Progress,
  nowUnixMicro: number,
): Sql {
  if (aggregate === undefined) return pointSource(id, undefined);
  if (position === undefined) return partialSource(id, aggregate);
  const { until } = position;
  const complete = Math.floor((nowUnixMicro / 1e6 - endOffsetSeconds) / periodSeconds) * periodSeconds;
  const end = complete - until > MAX_LIVE_SECONDS ? until : complete;
  const time = (seconds: number) => postgresDialect.timestamp(seconds * 1e6);
  return sql`(${pointSource(id, undefined)}
    union all select bucket, segment, value, count from ${materializedIn(aggregate)} where bucket < ${time(until)}
    union all select bucket, segment, value, count from ${sqlName(aggregate.view)}
      where bucket >= ${time(until)} and bucket < ${time(end)})`;
}

/** A new aggregate is not computed up to its begin: points of an earlier definition may be there, too. */
function partialSource(id: string, aggregate: StoredAggregate): Sql {
  const computed = materializedIn(aggregate);
  return sql`(select bucket, segment, value, count from metric_points
      where metric = ${id}::text and bucket not in (select bucket from ${computed})
    union all select bucket, segment, value, count from ${computed})`;
}

/** The table of the computed buckets. The view itself would compute those that have no matching record again. */
export function materializedIn({ materialized }: StoredAggregate): Sql {
  return sqlName(...materialized);
}

/** Copies the points of an aggregate that is about to be dropped. */
export function keepPoints(id: string, aggregate: StoredAggregate, condition: Sql): Sql {
  return sql`insert into metric_points (metric, bucket, segment, value, count)
    select ${id}::text, bucket, segment, value, count from (
      select bucket, segment, value, count,
        row_number() over (partition by bucket order by count desc, segment) as place
      from ${materializedIn(aggregate)}
    ) as places
    where place <= ${MAX_SEGMENTS}::bigint and ${condition}`;
}

const MAX_LIVE_SECONDS = 3600;
