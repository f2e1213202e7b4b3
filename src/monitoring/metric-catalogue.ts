import { isDeepStrictEqual } from 'node:util';
import { logGroupExpressions, SELECT_LOG_GROUPS } from '../logstore/log-group-table.ts';
import { join, type Sql, sql } from '../logstore/sql/sql.ts';
import { SqlError, type SqlRow } from '../logstore/sql/sql-database.ts';
import { numberOf, numberOrNull, textOf, textOrNull } from '../logstore/sql/sql-row.ts';
import { assertFits } from './alert-window.ts';
import { type StoredMetric, selectAlerts, selectMetrics, storedAlert, storedMetric } from './definitions.ts';
import { formatIsoTime } from './format-iso-time.ts';
import { insertDefinition } from './insert-definition.ts';
import type {
  EditedMetric,
  MetricDefinition,
  MetricPoint,
  MetricReport,
  PointsRequest,
} from './metric-definition.ts';
import { expandMetric, groupsOfMetric } from './metric-groups.ts';
import { findContradiction } from './metric-sql.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import { keepPoints, livePointSource, materializedIn, pointSource } from './point-source.ts';
import { parseProgress } from './watermark.ts';

/** Maximum start offset in buckets, which all have to be computed at once after a long absence. */
const MAX_OPEN_BUCKETS = 1_000_000;
/** Maximum number of points in one answer, for any number of segments. */
const MAX_POINTS = 10_000;

/** The metrics in the store, for the API. */
export class MetricCatalogue {
  readonly #database: MonitorDatabase;

  constructor(database: MonitorDatabase) {
    this.#database = database;
  }

  async list(): Promise<{
    readonly metrics: readonly StoredMetric[];
    readonly reports: readonly MetricReport[];
  }> {
    const [rows = [], counts = []] = await this.#database.read([
      selectMetrics(this.#database.dialect),
      sql`select metric, count(*) as points from metric_points group by metric`,
    ]);
    const metrics = rows.map(storedMetric);
    const points = new Map(counts.map((row) => [textOf(row, 'metric'), numberOf(row, 'points')]));
    for (const [id, count] of await this.#aggregatedPoints(metrics))
      points.set(id, (points.get(id) ?? 0) + count);
    return {
      metrics,
      reports: metrics.flatMap((metric) => reportOf(metric, points.get(metric.id) ?? 0) ?? []),
    };
  }

  /** The number of points in continuous aggregates. */
  async #aggregatedPoints(metrics: readonly StoredMetric[]): Promise<readonly (readonly [string, number])[]> {
    const counts = metrics.flatMap(({ id, watermark }) => {
      const { aggregate } = parseProgress(watermark);
      if (aggregate === undefined) return [];
      return [sql`select ${id}::text as metric, count(*) as points from ${materializedIn(aggregate)}`];
    });
    if (counts.length === 0) return [];
    try {
      const [rows = []] = await this.#database.read([join(counts, sql` union all `)]);
      return rows.map((row) => [textOf(row, 'metric'), numberOf(row, 'points')] as const);
    } catch (error) {
      // One was dropped since its metric was read: the list must not fail for a number.
      if (!(error instanceof SqlError) || error.kind !== 'statement') throw error;
      return [];
    }
  }

  async get(id: string): Promise<MetricReport> {
    return await this.#withSource(id, async (metric) => {
      const source = pointSource(id, parseProgress(metric.watermark).aggregate);
      const [[counted] = []] = await this.#database.read([
        sql`select count(*) as points from ${source} as points`,
      ]);
      const report = reportOf(metric, counted === undefined ? 0 : numberOf(counted, 'points'));
      if (report === undefined) throw unreadable(metric);
      return report;
    });
  }

  /**
   * Reads a metric, and then its points. The aggregate that has the points may be dropped in between: then this repeats
   * once.
   */
  async #withSource<T>(id: string, read: (metric: StoredMetric) => Promise<T>): Promise<T> {
    const metric = await this.#stored(id);
    try {
      return await read(metric);
    } catch (error) {
      const isAggregated = parseProgress(metric.watermark).aggregate !== undefined;
      if (!isAggregated || !(error instanceof SqlError) || error.kind !== 'statement') throw error;
      return await read(await this.#stored(id));
    }
  }

  async create(definition: MetricDefinition): Promise<MetricReport> {
    await this.expanded(definition);
    const { id } = definition;
    const now = this.#database.nowUnixMicro;
    const condition = groupsExistSql(definition);
    const added = { kind: 'metric', id, definition, createdAtUnixMicro: now, condition } as const;
    if (!(await insertDefinition(this.#database, added))) throw groupsAreGone(definition);
    return { definition, createdAt: formatIsoTime(now), refreshedAt: null, points: 0 };
  }

  /** The definition with the expressions of its log groups. Rejects with MonitorError if it is not possible. */
  async expanded(definition: MetricDefinition): Promise<MetricDefinition> {
    const problem = findContradiction(definition) ?? offsetProblem(definition);
    if (problem !== undefined) throw new MonitorError('invalid', problem);
    if (groupsOfMetric(definition).size === 0) return definition;
    const [rows = []] = await this.#database.read([SELECT_LOG_GROUPS]);
    return expandMetric(definition, logGroupExpressions(rows));
  }

  /**
   * Replaces a definition. The newest points, back to `startOffsetSeconds`, are computed again. Older points stay,
   * unless they cannot be part of the same series: other buckets or other segments.
   */
  async update(definition: MetricDefinition): Promise<EditedMetric> {
    const { id } = definition;
    await this.expanded(definition);
    const before = await this.#stored(id);
    if (isDeepStrictEqual(before.definition, definition)) return { ...(await this.get(id)), changes: [] };
    await this.#mustFitAlerts(definition);
    const createdAt = this.#database.laterThan(before.createdAtUnixMicro);
    const time = this.#database.time(createdAt);
    const isOtherSeries = !isSameSeries(before.definition, definition);
    const { aggregate } = parseProgress(before.watermark);
    const isUnchanged = sql`exists (select 1 from metrics where id = ${id}::text
      and created_at = ${this.#database.time(before.createdAtUnixMicro)} and ${groupsExistSql(definition)})`;
    const [[counted] = [], ...rows] = await this.#database.write([
      sql`select count(*) as points from ${pointSource(id, aggregate)} as points`,
      aggregate === undefined || isOtherSeries
        ? sql`select 1 as one`
        : keepPoints(id, aggregate, isUnchanged),
      sql`update metrics set definition = ${JSON.stringify(definition)}::text, created_at = ${time},
        watermark = null, refreshed_at = null
        where id = ${id}::text and created_at = ${this.#database.time(before.createdAtUnixMicro)}
          and ${groupsExistSql(definition)} returning id`,
      sql`delete from metric_points where metric = ${id}::text and ${isOtherSeries}::boolean
        and exists (select 1 from metrics where id = ${id}::text and created_at = ${time})`,
    ]);
    const [, updated = []] = rows;
    if (updated.length === 0) throw changedMeanwhile(id);
    const points = counted === undefined ? 0 : numberOf(counted, 'points');
    return { ...(await this.get(id)), changes: effectsOf(definition, isOtherSeries ? points : undefined) };
  }

  async #stored(id: string): Promise<StoredMetric> {
    const [[row] = []] = await this.#database.read([
      selectMetrics(this.#database.dialect, sql`id = ${id}::text`),
    ]);
    return found(row, id);
  }

  /** Rejects with MonitorError if an alert has a window with too many buckets of the metric. */
  async #mustFitAlerts(metric: MetricDefinition): Promise<void> {
    const [rows = []] = await this.#database.read([selectAlerts(this.#database.dialect)]);
    for (const { definition } of rows.map(storedAlert))
      if (definition?.metric === metric.id) assertFits(definition, metric);
  }

  async delete(id: string): Promise<void> {
    // The reference as it appears in the text of a definition, which JSON.stringify writes.
    const reference = sql`${`"metric":${JSON.stringify(id)}`}::text`;
    const users = sql`select id from alerts where position(${reference} in definition) > 0`;
    const [there = [], using = []] = await this.#database.write([
      sql`select id from metrics where id = ${id}::text`,
      sql`${users} order by id limit 10`,
      sql`delete from metrics where id = ${id}::text and not exists (${users})`,
      sql`delete from metric_points where metric = ${id}::text
        and not exists (select 1 from metrics where id = ${id}::text)`,
    ]);
    if (there.length === 0) throw notFound(id);
    if (using.length === 0) return;
    const names = using.map((row) => textOf(row, 'id')).join(', ');
    throw new MonitorError(
      'in-use',
      `Cannot delete the metric ${id}: the alert ${names} uses it. Delete the alert first.`,
    );
  }

  async points(id: string, request: PointsRequest): Promise<readonly MetricPoint[]> {
    return await this.#withSource(id, async (metric) => {
      const rows = await this.#newestPoints(metric, request);
      const reasons = new Map(setAsideOf(metric).map(({ time, reason }) => [time, reason]));
      return rows.map((point) => pointOf(point, reasons));
    });
  }

  async #newestPoints(
    { id, definition, watermark }: StoredMetric,
    { limit, segment }: PointsRequest,
  ): Promise<readonly SqlRow[]> {
    const { dialect, nowUnixMicro } = this.#database;
    const progress = parseProgress(watermark);
    const source = (isLive: boolean) =>
      isLive && definition !== undefined
        ? livePointSource(definition, progress, nowUnixMicro)
        : pointSource(id, progress.aggregate);
    const isAsked = segment === undefined ? sql`true` : sql`segment = ${segment}::text`;
    const newest = (points: Sql) => sql`
      select ${dialect.unixMicro(sql`bucket`)} as time, segment, value, count from ${points} as points
      where ${isAsked} and bucket >= (
        select min(bucket) from (
          select distinct bucket from ${points} as points where ${isAsked} order by bucket desc limit ${limit}::bigint
        ) as newest)
      order by bucket desc, count desc, segment limit ${MAX_POINTS}::bigint`;
    try {
      const [rows = []] = await this.#database.read([newest(source(true))]);
      return rows;
    } catch (error) {
      // A bucket that was not refreshed yet may be impossible to compute.
      if (progress.aggregate === undefined || !(error instanceof SqlError)) throw error;
      const [rows = []] = await this.#database.read([newest(source(false))]);
      return rows;
    }
  }
}

/** Points of the two definitions can be part of one series. */
function isSameSeries(before: MetricDefinition | undefined, after: MetricDefinition): boolean {
  return before?.periodSeconds === after.periodSeconds && isDeepStrictEqual(before.segment, after.segment);
}

/** `deleted`: the number of deleted points; undefined: older points stay. */
function effectsOf({ startOffsetSeconds }: MetricDefinition, deleted: number | undefined): string[] {
  const again = `The points of the last ${startOffsetSeconds} s are computed again.`;
  if (deleted === undefined) return [`${again} Older points keep the values of the earlier definition.`];
  return [`${deleted} points are deleted, because they have other buckets or segments.`, again];
}

function groupsExistSql(definition: MetricDefinition): Sql {
  const conditions = [...groupsOfMetric(definition)].map(
    (id) => sql`exists (select 1 from log_groups where id = ${id}::text)`,
  );
  return conditions.length === 0 ? sql`true` : join(conditions, sql` and `);
}

function groupsAreGone({ id }: MetricDefinition): MonitorError {
  return new MonitorError('invalid', `Cannot create the metric ${id}: its log group was deleted meanwhile.`);
}

function changedMeanwhile(id: string): MonitorError {
  return new MonitorError(
    'in-use',
    `Cannot change the metric ${id}: another client has changed it, or a log group of it, at the same time. Try again.`,
  );
}

function offsetProblem(definition: MetricDefinition): string | undefined {
  const { startOffsetSeconds, endOffsetSeconds, refreshSeconds, periodSeconds } = definition;
  if (startOffsetSeconds - endOffsetSeconds < refreshSeconds) {
    return `startOffsetSeconds must be at least ${endOffsetSeconds + refreshSeconds} (endOffsetSeconds + refreshSeconds), got ${startOffsetSeconds}.`;
  }
  if (startOffsetSeconds > MAX_OPEN_BUCKETS * periodSeconds) {
    return `startOffsetSeconds must be at most ${MAX_OPEN_BUCKETS} periods of ${periodSeconds} s, got ${startOffsetSeconds}.`;
  }
  return undefined;
}

function reportOf(metric: StoredMetric, points: number): MetricReport | undefined {
  const { definition, createdAtUnixMicro, refreshedAtUnixMicro } = metric;
  if (definition === undefined) return undefined;
  const refreshedAt = refreshedAtUnixMicro === null ? null : formatIsoTime(refreshedAtUnixMicro);
  const setAside = setAsideOf(metric);
  return {
    definition,
    createdAt: formatIsoTime(createdAtUnixMicro),
    refreshedAt,
    points,
    ...(setAside.length > 0 && { setAside }),
  };
}

function setAsideOf({ watermark }: StoredMetric): { time: string; reason: string }[] {
  const { setAside = [] } = parseProgress(watermark).position ?? {};
  return setAside.map(({ bucket, reason }) => ({ time: formatIsoTime(bucket * 1e6), reason }));
}

function found(row: SqlRow | undefined, id: string): StoredMetric {
  if (row === undefined) throw notFound(id);
  return storedMetric(row);
}

function notFound(id: string): MonitorError {
  return new MonitorError('not-found', `Cannot find the metric ${id}.`);
}

function unreadable({ id, problem }: StoredMetric): MonitorError {
  return new MonitorError(
    'invalid',
    `Cannot read the definition of the metric ${id} (${problem}). Delete the metric and create it again.`,
  );
}

function pointOf(row: SqlRow, reasons: ReadonlyMap<string, string>): MetricPoint {
  const time = formatIsoTime(numberOf(row, 'time'));
  const stored = numberOrNull(row, 'value');
  const value = stored !== null && Number.isFinite(stored) ? stored : null;
  const count = numberOf(row, 'count');
  const problem = value === null ? (reasons.get(time) ?? (count > 1 ? TOO_LARGE : undefined)) : undefined;
  return {
    time,
    segment: textOrNull(row, 'segment'),
    value,
    count,
    ...(problem !== undefined && { problem }),
  };
}

const TOO_LARGE = 'the result exceeds the range of a number';
