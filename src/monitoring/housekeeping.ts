import { type Sql, sql } from '../logstore/sql/sql.ts';
import { numberOf, textOf } from '../logstore/sql/sql-row.ts';
import type { MonitorDatabase } from './monitor-database.ts';

/** Points and history are kept for so long, and so many of them for each metric and alert: whole days, the newest. */
export const KEPT = { days: 400, points: 1_000_000, changes: 100_000 } as const;

const DAY_MICRO = 86_400_000_000;
const TIMEOUT_MS = 60_000;

/** Deletes points and history that are too old or too many. */
export async function keepHouse(database: MonitorDatabase): Promise<void> {
  await prune(database, {
    table: sql`metric_points`,
    owner: sql`metric`,
    time: sql`bucket`,
    max: KEPT.points,
  });
  await prune(database, { table: sql`alert_history`, owner: sql`alert`, time: sql`"at"`, max: KEPT.changes });
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
  const oldest = database.nowUnixMicro - KEPT.days * DAY_MICRO;
  const statements = firstToGo(days, oldest, max).map(
    (each) => sql`delete from ${table} where ${owner} = ${each.owner}::text
      and ${time} < ${dialect.timestamp(each.day + DAY_MICRO)} and ${database.isHeld}`,
  );
  if (statements.length > 0) await database.writeAsHolder(statements, TIMEOUT_MS);
}

interface Day {
  readonly owner: string;
  /** Where it begins. */
  readonly day: number;
  readonly rows: number;
}

/** Of each owner the newest day that is not kept. The days of an owner come newest first; the very newest is kept. */
export function firstToGo(days: readonly Day[], oldestUnixMicro: number, max: number): readonly Day[] {
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
