import { join, sql } from '../logstore/sql/sql.ts';
import { numberOf } from '../logstore/sql/sql-row.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import type { Span } from './spans.ts';
import type { News } from './watermark.ts';

/** With more writers or minutes than this, everything is computed again. */
const MAX_NEWS = 200;
const MAX_MINUTES = 5000;

/**
 * The times of the records of these flushes, within the window; undefined: too many to distinguish.
 *
 * A live flush touches a whole minute, but its records are in one second: so the minutes of a flush are
 * clipped to the times in its `stored_ranges`, as long as those exist. Each of the two covers all records of
 * the flush, hence so does their intersection.
 */
export async function touchedSpans(
  database: MonitorDatabase,
  news: readonly News[],
  window: Span,
): Promise<readonly Span[] | undefined> {
  if (news.length === 0) return [];
  if (news.length > MAX_NEWS) return undefined;
  const { dialect } = database;
  const flushes = news.map(
    ({ writer, after, last }) =>
      sql`(writer = ${writer}::uuid and flush > ${after}::bigint and flush <= ${last}::bigint)`,
  );
  const isNew = sql`(${join(flushes, sql` or `)})`;
  const [rows = []] = await database.read([
    sql`select
        min(case when is_narrow and first > minute then first else minute end) as first,
        max(case when is_narrow and last < minute_end then last else minute_end end) as last
      from (
        select minute, minute_end, first, last, coalesce(first <= minute_end and last >= minute, false) as is_narrow
        from (
          select writer, flush, ${dialect.unixMicro(sql`minute`)} as minute,
            ${dialect.unixMicro(sql`minute`)} + 59999999 as minute_end
          from touched_minutes
          where ${isNew} and minute >= ${dialect.timestamp(Math.max(0, window.from - 60) * 1e6)}
            and minute < ${dialect.timestamp(window.to * 1e6)}
        ) as touched
        left join (
          select writer, flush, min(${dialect.unixMicro(sql`min_time`)}) as first,
            max(${dialect.unixMicro(sql`max_time`)}) as last
          from stored_ranges where ${isNew} group by writer, flush
        ) as ranges using (writer, flush)
      ) as spans
      group by minute order by minute limit ${MAX_MINUTES + 1}::bigint`,
  ]);
  if (rows.length > MAX_MINUTES) return undefined;
  return rows.map((row) => ({
    from: Math.floor(numberOf(row, 'first') / 1e6),
    to: Math.floor(numberOf(row, 'last') / 1e6) + 1,
  }));
}
