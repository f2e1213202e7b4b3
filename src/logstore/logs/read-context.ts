import { type Sql, sql } from '../sql/sql.ts';
import { SqlError } from '../sql/sql-database.ts';
import { type EntryPage, readEntryPage } from './entry-page.ts';
import { filterSql } from './filter-sql.ts';
import { type ContextRequest, type LogContext, type LogEntry, momentToUnixMicro } from './log-requests.ts';
import { readRecord } from './read-record.ts';
import type { StoreReader } from './store-reader.ts';

/**
 * The neighbours of a record in its stream, by position: exactly the lines before and after it in its file. Records
 * of other streams, and their times, do not matter.
 *
 * A store in columns searches the whole stream. In a store in rows that would read everything, because there is no
 * index of streams. There, records with a time near that of the record are searched first, and more only if
 * these are too few.
 */
export async function readContext(store: StoreReader, request: ContextRequest): Promise<LogContext> {
  const anchor = await anchorOf(store, request);
  const { direction, limit } = request;
  if (direction === 'around') {
    const half = Math.floor(limit / 2);
    const before =
      half === 0 ? NOTHING_READ : await readSide(store, request, { anchor, side: 'before', limit: half });
    const rest = Math.max(0, limit - half - 1);
    const after =
      rest === 0 ? NOTHING_READ : await readSide(store, request, { anchor, side: 'after', limit: rest });
    return {
      entries: [...before.entries, ...(anchor === undefined ? [] : [anchor]), ...after.entries],
      atStart: before.isWhole,
      atEnd: after.isWhole,
      withinSeconds: narrower(before.withinSeconds, after.withinSeconds),
    };
  }
  const { entries, isWhole, withinSeconds } = await readSide(store, request, {
    anchor,
    side: direction,
    limit,
  });
  return {
    entries: [...entries],
    atStart: direction === 'before' && isWhole,
    atEnd: direction === 'after' && isWhole,
    withinSeconds,
  };
}

interface SideRequest {
  /** undefined: the store does not have the record itself. */
  readonly anchor: LogEntry | undefined;
  readonly side: 'before' | 'after';
  readonly limit: number;
}

interface Side {
  /** In the order of their positions. */
  readonly entries: readonly LogEntry[];
  /** There is no further matching record on this side. */
  readonly isWhole: boolean;
  readonly withinSeconds: number | null;
}

const NOTHING_READ: Side = { entries: [], isWhole: false, withinSeconds: null };

/** null: without a limit. */
const ALL: readonly (number | null)[] = [null];
const NEAR_FIRST: readonly (number | null)[] = [3600, 86_400, null];

async function anchorOf(store: StoreReader, request: ContextRequest): Promise<LogEntry | undefined> {
  const isNeeded = request.direction === 'around' || store.dialect.isSlowByStream === true;
  return isNeeded ? await readRecord(store, request) : undefined;
}

async function readSide(store: StoreReader, request: ContextRequest, asked: SideRequest): Promise<Side> {
  const { anchor, side, limit } = asked;
  const isStepwise = store.dialect.isSlowByStream === true && anchor !== undefined;
  let found: Side = NOTHING_READ;
  for (const seconds of isStepwise ? NEAR_FIRST : ALL) {
    const page = await readWithin(store, request, { ...asked, seconds }).catch((error: unknown) => {
      // The part that was found is better than nothing.
      if (error instanceof SqlError && error.kind === 'timeout' && found.entries.length > 0) return undefined;
      throw error;
    });
    if (page === undefined) return found;
    const entries = side === 'before' ? page.entries.toReversed() : page.entries;
    found = { entries, isWhole: seconds === null && !page.hasMore, withinSeconds: seconds };
    if (page.hasMore || entries.length >= limit) return found;
  }
  return found;
}

async function readWithin(
  store: StoreReader,
  { stream, position, where }: ContextRequest,
  { anchor, side, limit, seconds }: SideRequest & { readonly seconds: number | null },
): Promise<EntryPage> {
  const { dialect } = store;
  const names = await store.ownNames();
  const isSide =
    side === 'before' ? sql`position < ${position}::bigint` : sql`position > ${position}::bigint`;
  const near = anchor === undefined || seconds === null ? sql`true` : nearSql(store, anchor, seconds);
  return await readEntryPage(store, {
    source: sql`log_records where ${near} and stream = ${stream}::uuid and ${isSide}
      and ${filterSql(dialect, { where }, names)}`,
    order: side === 'before' ? sql`position desc` : sql`position`,
    limit,
  });
}

function nearSql({ dialect }: StoreReader, { time }: LogEntry, seconds: number): Sql {
  const micro = momentToUnixMicro(time, 0);
  const from = Math.max(0, micro - seconds * 1_000_000);
  return sql`time >= ${dialect.timestamp(from)} and time <= ${dialect.timestamp(micro + seconds * 1_000_000)}`;
}

function narrower(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
