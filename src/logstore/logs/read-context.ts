import { type Sql, sql } from '../sql/sql.ts';
import { SqlError } from '../sql/sql-database.ts';
import { readEntryPage } from './entry-page.ts';
import { filterSql } from './filter-sql.ts';
import { type ContextRequest, type LogContext, type LogEntry, momentToUnixMicro } from './log-requests.ts';
import { readRecord } from './read-record.ts';
import type { StoreReader } from './store-reader.ts';

/**
 * The neighbours of a record in its stream, by position: exactly the lines before and after it in its file. Records
 * of other streams, and their times, do not matter.
 *
 * A store in columns searches the whole stream. A store in rows has an index of streams only for days that are over,
 * and reads the others. If that takes too long, only records with a time near that of the record are searched, and the
 * answer reports it.
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

/** How long a store in rows searches the whole stream. */
const WHOLE_STREAM_MS = 4000;
/** The times that are searched after that. */
const NEAR_SECONDS = [3600, 86_400];

async function anchorOf(store: StoreReader, request: ContextRequest): Promise<LogEntry | undefined> {
  const isNeeded = request.direction === 'around' || store.dialect.isSlowByStream === true;
  return isNeeded ? await readRecord(store, request) : undefined;
}

async function readSide(store: StoreReader, request: ContextRequest, asked: SideRequest): Promise<Side> {
  const isSlow = store.dialect.isSlowByStream === true && asked.anchor !== undefined;
  if (!isSlow) return await readWithin(store, request, { ...asked, seconds: null });
  try {
    return await readWithin(store.within(WHOLE_STREAM_MS), request, { ...asked, seconds: null });
  } catch (error) {
    if (!(error instanceof SqlError) || error.kind !== 'timeout') throw error;
    return await readNear(store, request, asked);
  }
}

async function readNear(store: StoreReader, request: ContextRequest, asked: SideRequest): Promise<Side> {
  let found: Side = NOTHING_READ;
  for (const seconds of NEAR_SECONDS) {
    found = await readWithin(store, request, { ...asked, seconds });
    if (found.entries.length >= asked.limit) return found;
  }
  return found;
}

async function readWithin(
  store: StoreReader,
  { stream, position, where }: ContextRequest,
  { anchor, side, limit, seconds }: SideRequest & { readonly seconds: number | null },
): Promise<Side> {
  const { dialect } = store;
  const names = await store.ownNames();
  const isSide =
    side === 'before' ? sql`position < ${position}::bigint` : sql`position > ${position}::bigint`;
  const near = anchor === undefined || seconds === null ? sql`true` : nearSql(store, anchor, seconds);
  const { entries, hasMore } = await readEntryPage(store, {
    source: sql`log_records where ${near} and stream = ${stream}::uuid and ${isSide}
      and ${filterSql(dialect, { where }, names)}`,
    order: side === 'before' ? sql`position desc` : sql`position`,
    limit,
  });
  return {
    entries: side === 'before' ? entries.toReversed() : entries,
    isWhole: seconds === null && !hasMore,
    withinSeconds: seconds,
  };
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
