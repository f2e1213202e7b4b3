import { type Sql, sql } from '../sql/sql.ts';
import { entryColumns, entryFromRow } from './entry-from-row.ts';
import { type LogEntry, momentToUnixMicro, type RecordPlace } from './log-requests.ts';
import type { StoreReader } from './store-reader.ts';

/**
 * Reads the record at a position of a stream. A store in rows has no index for it, so the time of the record is
 * tried first, if it is known.
 */
export async function readRecord(
  store: StoreReader,
  { stream, position, time }: RecordPlace,
): Promise<LogEntry | undefined> {
  const at = sql`stream = ${stream}::uuid and position = ${position}::bigint`;
  if (time !== undefined) {
    const timestamp = store.dialect.timestamp(momentToUnixMicro(time, store.nowUnixMicro()));
    const found = await readOne(store, sql`time = ${timestamp} and ${at}`);
    if (found !== undefined) return found;
  }
  return await readOne(store, at);
}

async function readOne(store: StoreReader, condition: Sql): Promise<LogEntry | undefined> {
  const [row] = await store.rows(
    sql`select ${entryColumns(store.dialect)} from log_records where ${condition} limit 1`,
  );
  return row === undefined ? undefined : entryFromRow(row);
}
