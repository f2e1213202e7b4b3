import { join, type Sql, sql } from '../sql/sql.ts';
import { numberOf, numberOrNull, textOf } from '../sql/sql-row.ts';
import { readEntryPage } from './entry-page.ts';
import { filterSql } from './filter-sql.ts';
import type { TailRequest } from './log-requests.ts';
import type { StoreReader } from './store-reader.ts';
import type { TailPage, TailPlace } from './tail-page.ts';
import { timeSpanSql } from './time-span.ts';

/**
 * Reads the records that were stored after a place, for any time in them. A place is the last known flush of
 * each writer. A reader that sees flush 7 of a writer sees all flushes before it: so no record is returned
 * twice and none is skipped, although new flushes arrive during the read.
 *
 *     writers          the current flushes: the new place
 *     stored_ranges    the streams and times of the flushes after the old place, up to the new one
 *     log_records      the newest of these records; they are counted if there are more than a page holds
 *
 * These are three queries without a transaction: each uses only flushes that the one before has seen.
 */
export async function readTail(
  store: StoreReader,
  request: TailRequest,
  place: TailPlace | undefined,
): Promise<TailPage> {
  // A writer whose row was deleted may return.
  const newPlace = new Map([...(place ?? []), ...(await placeNow(store))]);
  const flushes = place === undefined ? [] : flushesBetween(place, newPlace);
  const span = flushes.length === 0 ? undefined : await timesOf(store, flushes);
  if (span === undefined) return { entries: [], place: newPlace, skipped: 0 };

  const { dialect } = store;
  // The times come first and as values: they let a database skip nearly all data.
  const source = sql`log_records join (${rangesSql(flushes)}) as stored
      on log_records.stream = stored.stored_stream and log_records.position >= stored.range_start
      and log_records.position < stored.range_end
    where ${timeSpanSql(dialect, span)} and ${filterSql(dialect, request)}`;
  const newest = await readEntryPage(store, { source, order: LATEST_FIRST, limit: PAGE_RECORDS });
  const entries = newest.entries.toReversed();
  const skipped = newest.hasMore ? (await count(store, source)) - entries.length : 0;
  return { entries, place: newPlace, skipped };
}

const PAGE_RECORDS = 1000;
/** The reverse of the order in which records are shown. */
const LATEST_FIRST = sql`time desc, stream desc, position desc`;

/** The flushes of one writer after `after`, up to `last`. */
interface Flushes {
  readonly writer: string;
  readonly after: number;
  readonly last: number;
}

async function placeNow(store: StoreReader): Promise<TailPlace> {
  const rows = await store.rows(sql`select writer::text as writer_id, last_flush from writers`);
  return new Map(rows.map((row) => [textOf(row, 'writer_id'), numberOf(row, 'last_flush')]));
}

function flushesBetween(place: TailPlace, newPlace: TailPlace): readonly Flushes[] {
  return [...newPlace].flatMap(([writer, last]) => {
    const after = place.get(writer) ?? 0;
    return last > after ? [{ writer, after, last }] : [];
  });
}

function ofFlushesSql(flushes: readonly Flushes[]): Sql {
  const each = flushes.map(
    ({ writer, after, last }) =>
      sql`(writer = ${writer}::uuid and flush > ${after}::bigint and flush <= ${last}::bigint)`,
  );
  return sql`(${join(each, sql` or `)})`;
}

/** undefined: the flushes contain no records, or their ranges are deleted already. */
async function timesOf(store: StoreReader, flushes: readonly Flushes[]) {
  const { dialect } = store;
  const [row] = await store.rows(sql`select ${dialect.unixMicro(sql`min(min_time)`)} as min_micro,
    ${dialect.unixMicro(sql`max(max_time)`)} as max_micro from stored_ranges where ${ofFlushesSql(flushes)}`);
  const min = row === undefined ? null : numberOrNull(row, 'min_micro');
  const max = row === undefined ? null : numberOrNull(row, 'max_micro');
  return min === null || max === null ? undefined : { fromUnixMicro: min, toUnixMicro: max + 1 };
}

/**
 * Merges adjacent ranges: a stream that is being written has a range for each flush, and every row would be
 * compared with all of them.
 */
function rangesSql(flushes: readonly Flushes[]): Sql {
  return sql`select stream as stored_stream, min(range_start) as range_start, max(range_end) as range_end
    from (
      select *, sum(case when range_start = end_before then 0 else 1 end)
        over (partition by stream order by range_start rows unbounded preceding) as run
      from (
        select stream, range_start, range_end,
          lag(range_end) over (partition by stream order by range_start) as end_before
        from stored_ranges where ${ofFlushesSql(flushes)}
      ) as neighbours
    ) as runs
    group by stream, run`;
}

async function count(store: StoreReader, source: Sql): Promise<number> {
  const [row] = await store.rows(sql`select count(*) as records from ${source}`);
  return row === undefined ? 0 : numberOf(row, 'records');
}
