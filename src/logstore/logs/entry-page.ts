import { type Sql, sql } from '../sql/sql.ts';
import type { SqlRow } from '../sql/sql-database.ts';
import { numberOf } from '../sql/sql-row.ts';
import { entryColumns, entryFromRow } from './entry-from-row.ts';
import type { LogEntry } from './log-requests.ts';
import type { StoreReader } from './store-reader.ts';

/**
 * Reads the first records in some order, up to the size of a page: a record may have a megabyte and a page a
 * thousand records, but neither the database nor this process may hold a gigabyte for it. So there are two
 * queries:
 *
 *     1.  the times of the first `limit` records, and their sizes in characters; with `windows`, from the smallest window
 *         that has as many records
 *     2.  the records that fit, completely; between these times, so that nothing else is read again
 *
 * A record that is stored between the queries is in the page if it belongs there; then a later record moves
 * to the next page.
 */
export interface EntryPage {
  readonly entries: readonly LogEntry[];
  /** There are more records: after the limit, or because they did not fit. */
  readonly hasMore: boolean;
  /** Of the entries. */
  readonly characters: number;
}

export interface EntryPageOptions {
  /** The text after `from`: `log_records`, possibly joined, and `where`. */
  readonly source: Sql;
  /** An order of the records, such as `time desc, stream, position desc`. */
  readonly order: Sql;
  readonly limit: number;
  /** Conditions that are tried first, each of which contains the one before and the first records in the order. */
  readonly windows?: readonly Sql[];
  /** Those of earlier entries of the same page. Default: 0. */
  readonly heldCharacters?: number;
}

/** The first record of a page may be larger than this. */
const PAGE_CHARACTERS = 8 * 1024 * 1024;

export async function readEntryPage(
  store: StoreReader,
  { source, order, limit, windows = [], heldCharacters = 0 }: EntryPageOptions,
): Promise<EntryPage> {
  const { dialect } = store;
  let sizes: readonly SqlRow[] = [];
  for (const window of [...windows, sql`true`]) {
    sizes = await store.rows(sql`select ${dialect.unixMicro(sql`time`)} as time_micro,
        length(body) + coalesce(length(attributes::text), 0) as characters
      from ${source} and ${window} order by ${order} limit ${limit + 1}::bigint`);
    if (sizes.length > limit) break;
  }
  const { count: fitting, characters } = fittingRecords(
    sizes.slice(0, limit).map((row) => numberOf(row, 'characters')),
    heldCharacters,
  );
  if (fitting === 0) return { entries: [], hasMore: sizes.length > 0, characters };

  // One more than fits shows whether a record was stored in between.
  const times = sizes.slice(0, fitting + 1).map((row) => numberOf(row, 'time_micro'));
  const rows = await store.rows(sql`select ${entryColumns(dialect)} from ${source}
      and time >= ${dialect.timestamp(Math.min(...times))} and time <= ${dialect.timestamp(Math.max(...times))}
    order by ${order} limit ${fitting + 1}::bigint`);
  return {
    entries: rows.slice(0, fitting).map(entryFromRow),
    hasMore: sizes.length > fitting || rows.length > fitting,
    characters,
  };
}

function fittingRecords(
  sizes: readonly number[],
  heldCharacters: number,
): { readonly count: number; readonly characters: number } {
  let characters = 0;
  let count = 0;
  for (const size of sizes) {
    const held = heldCharacters + characters;
    if (held > 0 && held + size > PAGE_CHARACTERS) break;
    characters += size;
    count++;
  }
  return { count, characters };
}
