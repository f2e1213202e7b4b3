import { MICRO_PER_MINUTE } from '../../logstore/stored-times.ts';
import type { Connection, RequestOptions } from './connection.ts';
import type { StreamRange } from './known-records.ts';
import { INSERT_SETTINGS } from './query-settings.ts';
import { writeInt64, writeText } from './row-binary.ts';

/** A stored range, and the times of its records. */
export interface NotedRange extends StreamRange {
  readonly minUnixMicro: number;
  readonly maxUnixMicro: number;
}

export interface FlushNotes {
  readonly writer: string;
  readonly flush: number;
  readonly ranges: readonly NotedRange[];
  /** Since 1970. */
  readonly minutes: ReadonlySet<number>;
  readonly nowUnixMicro: number;
}

/**
 * Writes the notes of a flush for readers of new records: see `logstore/schema.ts`. It follows the rows, and the
 * number of the flush comes last: a reader that sees the number sees the rows and the other notes.
 */
export async function writeNotes(
  connection: Connection,
  notes: FlushNotes,
  request: Omit<RequestOptions, 'settings'>,
): Promise<void> {
  const { writer, flush, ranges, minutes, nowUnixMicro } = notes;
  const insert = (table: string, columns: string, rows: Uint8Array) =>
    connection.insert(`insert into ${table} (${columns}) format RowBinary`, [rows], {
      ...request,
      settings: INSERT_SETTINGS,
    });
  const start = rowStart(writer, flush, nowUnixMicro);
  if (minutes.size > 0) await insert('touched_minutes', MINUTE_COLUMNS, minuteRows(start, minutes));
  if (ranges.length > 0) await insert('stored_ranges', RANGE_COLUMNS, rangeRows(start, ranges));
  await insert('writers', 'writer, last_flush, seen_at', start);
}

const MINUTE_COLUMNS = 'writer, flush, stored_at, minute';
const RANGE_COLUMNS = 'writer, flush, stored_at, stream, range_start, range_end, min_time, max_time';
const NUMBER_BYTES = 8;

function rowStart(writer: string, flush: number, nowUnixMicro: number): Buffer {
  const bytes = Buffer.alloc(1 + writer.length + 2 * NUMBER_BYTES);
  writeInt64(bytes, writeInt64(bytes, writeText(bytes, 0, writer), flush), nowUnixMicro);
  return bytes;
}

function minuteRows(start: Buffer, minutes: ReadonlySet<number>): Buffer {
  const bytes = Buffer.alloc(minutes.size * (start.length + NUMBER_BYTES));
  let at = 0;
  for (const minute of minutes) at = writeInt64(bytes, at + start.copy(bytes, at), minute * MICRO_PER_MINUTE);
  return bytes;
}

function rangeRows(start: Buffer, ranges: readonly NotedRange[]): Buffer {
  const rows = ranges.map(({ stream, start: from, end, minUnixMicro, maxUnixMicro }) => {
    const bytes = Buffer.alloc(1 + stream.length + 4 * NUMBER_BYTES);
    let at = writeText(bytes, 0, stream);
    for (const number of [from, end, minUnixMicro, maxUnixMicro]) at = writeInt64(bytes, at, number);
    return Buffer.concat([start, bytes]);
  });
  return Buffer.concat(rows);
}
