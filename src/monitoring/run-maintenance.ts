import { type Sql, sql } from '../logstore/sql/sql.ts';
import { numberOf, textOf } from '../logstore/sql/sql-row.ts';
import { selectMetrics, storedMetric } from './definitions.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import { materializedIn } from './point-source.ts';
import { parseProgress, type StoredAggregate } from './watermark.ts';

/** Deletes points and history that are too old or too many, and silences that have ended. */
export async function runMaintenance(database: MonitorDatabase): Promise<void> {
  await prune(database, {
    table: sql`metric_points`,
    owner: sql`metric`,
    time: sql`bucket`,
    max: RETENTION_LIMITS.points,
  });
  await prune(database, {
    table: sql`alert_history`,
    owner: sql`alert`,
    time: sql`"at"`,
    max: RETENTION_LIMITS.changes,
  });
  for (const [id, aggregate] of await readAggregates(database)) {
    await prune(database, {
      table: materializedIn(aggregate),
      owner: sql`${id}::text`,
      time: sql`bucket`,
      max: RETENTION_LIMITS.points,
    });
  }
  await forgetSilences(database);
}

/** The continuous aggregates, by the id of their metric. */
async function readAggregates(database: MonitorDatabase): Promise<ReadonlyMap<string, StoredAggregate>> {
  const [rows = []] = await database.read([selectMetrics(database.dialect)]);
  return new Map(
    rows.map(storedMetric).flatMap(({ id, watermark }) => {
      const { aggregate } = parseProgress(watermark);
      return aggregate === undefined ? [] : [[id, aggregate] as const];
    }),
  );
}

/**
 * Limits of points and history: the maximum age, and the maximum number for each metric and alert. Only whole
 * days are deleted.
 */
export const RETENTION_LIMITS = { days: 400, points: 1_000_000, changes: 100_000 } as const;

const DAY_MICRO = 86_400_000_000;
const TIMEOUT_MS = 60_000;

async function forgetSilences(database: MonitorDatabase): Promise<void> {
  const now = database.dialect.timestamp(database.nowUnixMicro);
  const [ended = []] = await database.read([
    sql`select alert from alert_silences where silenced_until <= ${now}`,
  ]);
  if (ended.length === 0) return;
  await database.writeAsHolder([
    sql`delete from alert_silences where silenced_until <= ${now} and ${database.isHeld}`,
  ]);
}

interface Prunable {
  readonly table: Sql;
  readonly owner: Sql;
  readonly time: Sql;
  readonly max: number;
}

async function prune(database: MonitorDatabase, { table, owner, time, max }: Prunable): Promise<void> {
  const { dialect } = database;
  const [rows = []] = await database.read(
    [
      sql`select owner, ${dialect.unixMicro(sql`day`)} as day, rows from (
        select ${owner} as owner, ${dialect.bucket(time, DAY_MICRO / 1000)} as day, count(*) as rows
        from ${table} group by 1, 2) as days order by 1, 2 desc`,
    ],
    TIMEOUT_MS,
  );
  const days = rows.map((row) => ({
    owner: textOf(row, 'owner'),
    day: numberOf(row, 'day'),
    rows: numberOf(row, 'rows'),
  }));
  const oldest = database.nowUnixMicro - RETENTION_LIMITS.days * DAY_MICRO;
  const statements = daysToDelete(days, oldest, max).map(
    (each) => sql`delete from ${table} where ${owner} = ${each.owner}::text
      and ${time} < ${dialect.timestamp(each.day + DAY_MICRO)} and ${database.isHeld}`,
  );
  if (statements.length > 0) await database.writeAsHolder(statements, TIMEOUT_MS);
}

interface Day {
  readonly owner: string;
  /** Start of the day. */
  readonly day: number;
  readonly rows: number;
}

/**
 * For each owner, the newest day to delete, with all days before it. `days` of an owner are sorted newest
 * first; the newest day is always kept.
 */
export function daysToDelete(days: readonly Day[], oldestUnixMicro: number, max: number): readonly Day[] {
  const result = new Map<string, Day>();
  let owner: string | undefined;
  let rows = 0;
  for (const day of days) {
    if (day.owner === owner) {
      rows += day.rows;
      const isToGo = rows > max || day.day + DAY_MICRO <= oldestUnixMicro;
      if (isToGo && !result.has(day.owner)) result.set(day.owner, day);
    } else {
      owner = day.owner;
      rows = day.rows;
    }
  }
  return [...result.values()];
}
