import { type Sql, sql } from '../logstore/sql/sql.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { finite, MAX_SEGMENTS, observationsSql } from './metric-sql.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import type { Span } from './spans.ts';

/** What a refresh of one metric writes, for whoever holds the lease. */
export class PointStatements {
  readonly #database: MonitorDatabase;
  readonly #definition: MetricDefinition;
  readonly #id: Sql;
  readonly #isMetric: Sql;

  constructor(database: MonitorDatabase, definition: MetricDefinition, createdAtUnixMicro: number) {
    this.#database = database;
    this.#definition = definition;
    this.#id = sql`${definition.id}::text`;
    // Neither deleted nor replaced by another of that name.
    this.#isMetric = sql`id = ${this.#id} and created_at = ${database.time(createdAtUnixMicro)}`;
  }

  /** The points of these buckets, computed anew. */
  replace(span: Span): readonly Sql[] {
    const { dialect, isHeld } = this.#database;
    return [
      // Points outlive the records that they were made of.
      sql`delete from metric_points where metric = ${this.#id} and ${this.#within(sql`bucket`, span)} and ${isHeld}
        and exists (select 1 from log_records where ${this.#within(sql`time`, span)})`,
      sql`insert into metric_points (metric, bucket, segment, value, count)
        select ${this.#id}, bucket, segment, ${finite(sql`value`)}, count
        from (${observationsSql(dialect, this.#definition, span)}) as computed
        where ${isHeld} and exists (select 1 from metrics where ${this.#isMetric})`,
    ];
  }

  /** A bucket that cannot be computed: one point without a value. */
  setAside(bucket: Span): readonly Sql[] {
    const { dialect, isHeld } = this.#database;
    return [
      sql`delete from metric_points where metric = ${this.#id} and ${this.#within(sql`bucket`, bucket)} and ${isHeld}`,
      sql`insert into metric_points (metric, bucket, segment, value, count)
        select ${this.#id}, ${dialect.timestamp(bucket.from * 1e6)}, null::text, null::float8, 0::bigint
        where ${isHeld} and exists (select 1 from metrics where ${this.#isMetric})`,
    ];
  }

  writePosition(watermark: string, nowUnixMicro: number): Sql {
    return sql`update metrics set watermark = ${watermark}::text, refreshed_at = ${this.#database.time(nowUnixMicro)}
      where ${this.#isMetric} and ${this.#database.isHeld}`;
  }

  /** How many of these buckets have as many segments as are kept. */
  countFull(spans: readonly Span[]): Sql {
    if (spans.length === 0 || this.#definition.segment === undefined) return sql`select 0 as full_buckets`;
    const from = Math.min(...spans.map((span) => span.from));
    const to = Math.max(...spans.map((span) => span.to));
    return sql`select count(*) as full_buckets from (
      select bucket from metric_points where metric = ${this.#id} and ${this.#within(sql`bucket`, { from, to })}
      group by bucket having count(*) >= ${MAX_SEGMENTS}::bigint) as full_ones`;
  }

  #within(column: Sql, { from, to }: Span): Sql {
    const { dialect } = this.#database;
    return sql`${column} >= ${dialect.timestamp(from * 1e6)} and ${column} < ${dialect.timestamp(to * 1e6)}`;
  }
}
