import { type Sql, sql } from '../sql/sql.ts';
import type { TimeRange } from '../text/time-ranges.ts';
import { behindCursorSql, decodeCursor, encodeCursor, NEWEST_FIRST } from './cursor.ts';
import { type EntryPage, readEntryPage } from './entry-page.ts';
import { filterSql } from './filter-sql.ts';
import { type LogEntry, momentToUnixMicro, type SearchPage, type SearchRequest } from './log-requests.ts';
import { newestWindows } from './newest-windows.ts';
import { rangesWithText, recordsIn } from './ranges-with-text.ts';
import type { StoreReader } from './store-reader.ts';
import { type TimeSpan, timeSpan, timeSpanSql } from './time-span.ts';

/** Reads one page, newest first. A page may end before its limit: see `entry-page.ts`. */
export async function searchLogs(store: StoreReader, request: SearchRequest): Promise<SearchPage> {
  const { entries, hasMore } = await newest(store, request);
  const last = entries.at(-1);
  return { entries: [...entries], next: hasMore && last !== undefined ? cursorOf(last) : null };
}

/** If the store knows where the text can be, the ranges are read from the newest one, in growing groups. */
async function newest(store: StoreReader, request: SearchRequest): Promise<EntryPage> {
  const { order, limit } = { order: NEWEST_FIRST, limit: request.limit };
  const span = timeSpan(request, store.nowUnixMicro());
  const where = await conditions(store, request, span);
  const ranges = await rangesWithText(store, request, span);
  if (ranges === undefined) {
    const source = sql`log_records where ${where}`;
    return await readEntryPage(store, { source, order, limit, windows: windowsOf(store, request, span) });
  }
  let page = NO_ENTRIES;
  for (const group of fromTheNewest(ranges)) {
    const left = limit - page.entries.length;
    const source = sql`${recordsIn(store, group)} where ${where}`;
    const heldCharacters = page.characters;
    // A full page only has to know whether there are more.
    const next = await readEntryPage(store, { source, order, limit: Math.max(1, left), heldCharacters });
    page = left === 0 ? { ...page, hasMore: next.entries.length > 0 || next.hasMore } : joined(page, next);
    if (page.hasMore) break;
  }
  return page;
}

const NO_ENTRIES: EntryPage = { entries: [], hasMore: false, characters: 0 };

function joined(page: EntryPage, next: EntryPage): EntryPage {
  return {
    entries: [...page.entries, ...next.entries],
    hasMore: next.hasMore,
    characters: page.characters + next.characters,
  };
}

/** A long range is read alone: the database begins with its newest records, which it does not in a union. */
const LONG_MICRO = 3_600_000_000;

/** The newest range, then two ranges, then four, and so on. */
function* fromTheNewest(ranges: readonly TimeRange[]): Generator<readonly TimeRange[]> {
  let group: TimeRange[] = [];
  let size = 1;
  for (const range of ranges.toReversed()) {
    const isLong = range.toUnixMicro - range.fromUnixMicro > LONG_MICRO;
    if (group.length > 0 && (isLong || group.length === size)) {
      yield group;
      group = [];
      size *= 2;
    }
    group.push(range);
    if (!isLong) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

async function conditions(store: StoreReader, request: SearchRequest, span: TimeSpan): Promise<Sql> {
  const { dialect } = store;
  const names = await store.ownNames();
  const behind =
    request.cursor === undefined ? sql`true` : behindCursorSql(dialect, decodeCursor(request.cursor));
  return sql`${timeSpanSql(dialect, span)} and ${behind} and ${filterSql(dialect, request, names)}`;
}

function windowsOf(store: StoreReader, request: SearchRequest, span: TimeSpan): readonly Sql[] {
  const now = store.nowUnixMicro();
  const cursor = request.cursor === undefined ? undefined : decodeCursor(request.cursor).timeUnixMicro;
  return newestWindows(store.dialect, span, Math.min(cursor ?? now, span.toUnixMicro ?? now));
}

function cursorOf({ time, stream, position }: LogEntry): string {
  return encodeCursor({ timeUnixMicro: momentToUnixMicro(time, 0), stream, position });
}
