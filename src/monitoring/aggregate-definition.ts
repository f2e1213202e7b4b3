import { createHash } from 'node:crypto';
import { ATTRIBUTE_COLUMNS, RECORD_COLUMNS } from '../logstore/log-columns.ts';
import { postgresDialect } from '../logstore/sql/postgres-dialect.ts';
import { join, type Sql, sql } from '../logstore/sql/sql.ts';
import { sqlName } from '../logstore/sql/sql-name.ts';
import { withLiterals } from '../logstore/sql/with-literals.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { finiteSql, metricFilterSql, statisticSql, valueSql } from './metric-sql.ts';
import { segmentSql } from './segment-sql.ts';

/**
 * The definition of a metric as a continuous aggregate of TimescaleDB: the same statistic, filter and segment as
 * `observationsSql`, in buckets of the same length, aligned to 1970.
 *
 *     create function VIEW_filter(...) ...        if the filter has a subquery
 *     create function VIEW_segment(...) ...       if the segment has one
 *     create materialized view VIEW as select time_bucket(...) as bucket, ... from log_records group by 1, 2
 *
 * TimescaleDB computes a changed bucket completely from its records, so every statistic is possible, also a percentile.
 * It accepts no subquery in the view, but every expression of attributes has one (for lists); a function hides it.
 */
export function aggregateDefinition(
  metric: MetricDefinition,
  { view, extensionSchema }: AggregatePlace,
): readonly Sql[] {
  const filter = inFunction(metricFilterSql(postgresDialect, metric), {
    name: `${view}_filter`,
    type: sql`boolean`,
  });
  const segment = inFunction(segmentSql(postgresDialect, metric.segment), {
    name: `${view}_segment`,
    type: sql`text`,
  });
  const value = valueSql(postgresDialect, metric);
  const period = sql`interval ${`${metric.periodSeconds} seconds`}`;
  const bucket = sql`${sqlName(extensionSchema, 'time_bucket')}(${period}, time, timestamptz ${EPOCH})`;
  const create = sql`create materialized view ${sqlName(view)}
    with (timescaledb.continuous, timescaledb.materialized_only = false) as
    select ${bucket} as bucket, ${segment.call} as segment,
      ${finiteSql(statisticSql(postgresDialect, metric.statistic, value))} as value, count(${value}) as count
    from log_records where ${filter.call} and ${value} is not null group by 1, 2 with no data`;
  return [...filter.create, ...segment.create, create].map(withLiterals);
}

/** Removes everything that `aggregateDefinition` creates. */
export function dropAggregate(view: string): readonly Sql[] {
  return [
    sql`drop materialized view if exists ${sqlName(view)}`,
    sql`drop function if exists ${sqlName(`${view}_filter`)}`,
    sql`drop function if exists ${sqlName(`${view}_segment`)}`,
  ];
}

/** Identifies the definition, apart from its place. */
export function aggregateHash(metric: MetricDefinition): string {
  const place = { view: 'view', extensionSchema: 'public' };
  const text = aggregateDefinition(metric, place).map(({ parts }) => parts.join(''));
  return createHash('sha256').update(text.join(';')).digest('hex').slice(0, 32);
}

export interface AggregatePlace {
  readonly view: string;
  readonly extensionSchema: string;
}

const EPOCH = '1970-01-01 00:00:00+00';

interface Inlined {
  readonly create: readonly Sql[];
  readonly call: Sql;
}

/** The expression itself, or a call of a function of the columns that it reads. */
function inFunction(expression: Sql, { name, type }: { readonly name: string; readonly type: Sql }): Inlined {
  const text = expression.parts.join(' ');
  if (!/\bselect\b/.test(text)) return { create: [], call: expression };
  const read = COLUMNS.filter(({ column }) => new RegExp(`\\b${column}\\b`).test(text));
  const parameters = read.map(
    ({ column, type: columnType }) => sql`${sqlName(column)} ${typeName(columnType)}`,
  );
  const columns = read.map(({ column }) => sqlName(column));
  const create = sql`create function ${sqlName(name)}(${join(parameters, sql`, `)}) returns ${type}
    language sql immutable parallel safe return ${expression}`;
  return { create: [create], call: sql`${sqlName(name)}(${join(columns, sql`, `)})` };
}

const COLUMNS: readonly { readonly column: string; readonly type: string }[] = [
  ...RECORD_COLUMNS,
  ...ATTRIBUTE_COLUMNS,
];

function typeName(type: string): Sql {
  return { parts: [type === 'json' ? 'jsonb' : type], values: [] };
}
