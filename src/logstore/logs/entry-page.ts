import { type Sql, sql } from '../sql/sql.ts';
import { numberOf } from '../sql/sql-row.ts';
import { entryColumns, entryFromRow } from './entry-from-row.ts';
import type { LogEntry } from './log-requests.ts';
import type { StoreReader } from './store-reader.ts';

/**
 * The first records in some order, and of no more than a page's size: a record may have a megabyte and a page a thousand
 * records, and neither the database nor this process shall hold a gigabyte for it. So it is asked twice:
 *
 *     first    when the first `limit` records were, and how many characters they have
 *     then     as many of these as fit, whole; between their times, so that nothing else is looked at again
 *
 * What comes in between is in the page when it belongs there, and then a later record is in the next one.
 */
export interface EntryPage {
  readonly entries: readonly LogEntry[];
  /** There are more than these: behind the limit, or because they did not fit. */
  readonly hasMore: boolean;
}

export interface EntryPageOptions {
  /** What follows `from`: `log_records`, perhaps joined, and `where`. */
  readonly source: Sql;
  /** Of the columns time, stream and position; the time first. */
  readonly order: Sql;
  readonly limit: number;
}

/** The first record of a page may be larger. */
const PAGE_CHARACTERS = 8 * 1024 * 1024;

export async function readEntryPage(
  store: StoreReader,
  { source, order, limit }: EntryPageOptions,
): Promise<EntryPage> {
  const { dialect } = store;
  const sizes = await store.rows(sql`select ${dialect.unixMicro(sql`time`)} as time_micro,
      length(body) + coalesce(length(attributes::text), 0) as characters
    from ${source} order by ${order} limit ${limit + 1}::bigint`);
  const fitting = howManyFit(
    sizes.map((row) => numberOf(row, 'characters')),
    limit,
  );
  if (fitting === 0) return { entries: [], hasMore: false };

  // One more than fits tells whether something has come in between.
  const times = sizes.slice(0, fitting + 1).map((row) => numberOf(row, 'time_micro'));
  const rows = await store.rows(sql`select ${entryColumns(dialect)} from ${source}
      and time >= ${dialect.timestamp(Math.min(...times))} and time <= ${dialect.timestamp(Math.max(...times))}
    order by ${order} limit ${fitting + 1}::bigint`);
  return {
    entries: rows.slice(0, fitting).map(entryFromRow),
    hasMore: sizes.length > fitting || rows.length > fitting,
  };
}

function howManyFit(sizes: readonly number[], limit: number): number {
  let characters = 0;
  let count = 0;
  for (const size of sizes.slice(0, limit)) {
    characters += size;
    if (count > 0 && characters > PAGE_CHARACTERS) break;
    count++;
  }
  return count;
}
