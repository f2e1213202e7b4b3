import type { OwnNames } from '../own-names.ts';
import { type Sql, sql } from '../sql/sql.ts';
import { behindCursorSql, decodeCursor, encodeCursor, NEWEST_FIRST } from './cursor.ts';
import { readEntryPage } from './entry-page.ts';
import { filterSql } from './filter-sql.ts';
import { type LogEntry, momentToUnixMicro, type SearchPage, type SearchRequest } from './log-requests.ts';
import { newestWindows } from './newest-windows.ts';
import type { StoreReader } from './store-reader.ts';
import { timeSpan, timeSpanSql } from './time-span.ts';

/** Reads one page, newest first. A page may end before its limit: see `entry-page.ts`. */
export async function searchLogs(store: StoreReader, request: SearchRequest): Promise<SearchPage> {
  const source = sql`log_records where ${conditions(store, request, await store.ownNames())}`;
  const { entries, hasMore } = await readEntryPage(store, {
    source,
    order: NEWEST_FIRST,
    limit: request.limit,
    windows: windowsOf(store, request),
  });
  const last = entries.at(-1);
  return { entries: [...entries], next: hasMore && last !== undefined ? cursorOf(last) : null };
}

function conditions(store: StoreReader, request: SearchRequest, names: OwnNames | undefined): Sql {
  const { dialect } = store;
  const span = timeSpanSql(dialect, timeSpan(request, store.nowUnixMicro()));
  const behind =
    request.cursor === undefined ? sql`true` : behindCursorSql(dialect, decodeCursor(request.cursor));
  return sql`${span} and ${behind} and ${filterSql(dialect, request, names)}`;
}

function windowsOf(store: StoreReader, request: SearchRequest): readonly Sql[] {
  const now = store.nowUnixMicro();
  const span = timeSpan(request, now);
  const cursor = request.cursor === undefined ? undefined : decodeCursor(request.cursor).timeUnixMicro;
  return newestWindows(store.dialect, span, Math.min(cursor ?? now, span.toUnixMicro ?? now));
}

function cursorOf({ time, stream, position }: LogEntry): string {
  return encodeCursor({ timeUnixMicro: momentToUnixMicro(time, 0), stream, position });
}
