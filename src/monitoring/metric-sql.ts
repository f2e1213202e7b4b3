import { type Property, parseProperty } from '../expressions/property.ts';
import { filterSql } from '../logstore/logs/filter-sql.ts';
import { filteredProperties } from '../logstore/logs/log-requests.ts';
import { propertyNumber, propertyText } from '../logstore/property-sql.ts';
import { type Sql, sql } from '../logstore/sql/sql.ts';
import type { SqlDialect } from '../logstore/sql/sql-dialect.ts';
import type { MetricDefinition, Statistic } from './metric-definition.ts';
import { propertiesOfSegment } from './metric-segment.ts';
import { segmentSql } from './segment-sql.ts';
import type { Span } from './spans.ts';

/** Maximum number of segments in a bucket; those with the most values are kept. */
export const MAX_SEGMENTS = 1000;

/** A statistic of a number; null if there are too few values. */
export function statisticSql(dialect: SqlDialect, statistic: Statistic, value: Sql): Sql {
  switch (statistic) {
    case 'count':
      return sql`count(${value})::float8`;
    case 'avg':
      return sql`avg(${value})`;
    case 'min':
      return sql`min(${value})`;
    case 'max':
      return sql`max(${value})`;
    case 'stddev':
      return sql`stddev_samp(${value})`;
    case 'variance':
      return sql`var_samp(${value})`;
    case 'p50':
      return dialect.percentile(value, 0.5);
    case 'p95':
      return dialect.percentile(value, 0.95);
    case 'p99':
      return dialect.percentile(value, 0.99);
  }
}

/** null for infinity and NaN: a statistic of huge numbers may exceed the range of a double. */
export function finiteSql(value: Sql): Sql {
  return sql`(case when ${isDoubleSql(value)} then ${value} end)`;
}

export function isDoubleSql(value: Sql): Sql {
  return sql`(abs(${value}) <= 1.7976931348623157e308::float8)`;
}

/** The observations of a span of whole buckets: bucket, segment, value, count. */
export function observationsSql(dialect: SqlDialect, metric: MetricDefinition, { from, to }: Span): Sql {
  const segment = segmentSql(dialect, metric.segment);
  return sql`
    select bucket, segment, value, count from (
      select bucket, segment, value, count,
        row_number() over (partition by bucket order by count desc, segment) as place
      from (
        select bucket, segment, ${statisticSql(dialect, metric.statistic, sql`property`)} as value, count(property) as count
        from (
          select ${dialect.bucket(sql`time`, metric.periodSeconds * 1000)} as bucket,
            ${segment} as segment, ${valueSql(dialect, metric)} as property
          from log_records
          where time >= ${dialect.timestamp(from * 1e6)} and time < ${dialect.timestamp(to * 1e6)}
            and ${metricFilterSql(dialect, metric)}
        ) as records
        where property is not null
        group by bucket, segment
      ) as observations
    ) as places
    where place <= ${MAX_SEGMENTS}::bigint`;
}

/** Whether a record belongs to the metric. */
export function metricFilterSql(dialect: SqlDialect, { filter }: MetricDefinition): Sql {
  return filter === undefined ? sql`true` : filterSql(dialect, filter);
}

/**
 * The reason why the metric is not possible, for a person; undefined: it is, as far as this is known before
 * the data.
 */
export function findContradiction({ statistic, property }: MetricDefinition): string | undefined {
  if (statistic === 'count' || property === '*') return undefined;
  const parsed = parseProperty(property);
  const isNumber = parsed.kind === 'attribute' || (parsed.kind === 'column' && parsed.type === 'number');
  if (isNumber) return undefined;
  return `Cannot compute ${statistic} of ${property}: it is ${kindOf(parsed)}, which can only be counted.`;
}

/** The properties that a metric uses. */
export function propertiesOf({ property, segment, filter }: MetricDefinition): readonly string[] {
  const conditions = filter === undefined ? [] : filteredProperties(filter);
  return [...(property === '*' ? [] : [property]), ...propertiesOfSegment(segment), ...conditions];
}

function kindOf(property: Property): string {
  if (property.kind !== 'column' || property.type === 'text') return 'text';
  return property.type === 'time' ? 'a time' : 'an identifier';
}

/** The value of a record; null: it is not counted. */
export function valueSql(dialect: SqlDialect, { statistic, property }: MetricDefinition): Sql {
  if (property === '*') return sql`1`;
  const parsed = parseProperty(property);
  return statistic === 'count' ? propertyText(dialect, parsed) : propertyNumber(dialect, parsed);
}
