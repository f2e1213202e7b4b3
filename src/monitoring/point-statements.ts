import { type Sql, sql } from '../logstore/sql/sql.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { finiteSql, MAX_SEGMENTS, observationsSql } from './metric-sql.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import type { Span } from './spans.ts';

/** The statements of a refresh of one metric, for the holder of the lease. */
export class PointStatements {
  readonly #database: MonitorDatabase;
  readonly #definition: MetricDefinition;
  readonly #id: Sql;
  readonly #isMetric: Sql;

  constructor(database: MonitorDatabase, definition: MetricDefinition, createdAtUnixMicro: number) {
    this.#database = database;
    this.#definition = definition;
    this.#id = sql`${definition.id}::text`;
    // The metric was neither deleted nor replaced by another with this name.
    this.#isMetric = sql`id = ${this.#id} and created_at = ${database.time(createdAtUnixMicro)}`;
  }

  /** Deletes the points of these buckets, unless their records are gone: points are kept longer than records. */
  remove(span: Span): Sql {
    const { isHeld } = this.#database;
    return sql`delete from metric_points where metric = ${this.#id} and ${this.#within(sql`bucket`, span)} and ${isHeld}
      and exists (select 1 from log_records where ${this.#within(sql`time`, span)})`;
  }

  /** Computes the points of these buckets again. */
  replace(span: Span): readonly Sql[] {
    const { dialect, isHeld } = this.#database;
    const value = dialect.inRange?.(sql`value`, sql`count`) ?? sql`value`;
    return [
      this.remove(span),
      sql`insert into metric_points (metric, bucket, segment, value, count)
        select ${this.#id}, bucket, segment, ${finiteSql(value)}, count
        from (${observationsSql(dialect, this.#definition, span)}) as computed
        where ${isHeld} and exists (select 1 from metrics where ${this.#isMetric})`,
    ];
  }

  /** Writes a point without a value for a bucket that cannot be computed. */
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

  /** The number of these buckets with the maximum number of segments. */
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
