import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { numberOf, textOf } from '../../logstore/sql/sql-row.ts';
import type { Position } from '../../records/position.ts';
import { addRange, NO_RANGES, type Ranges } from '../../records/ranges.ts';
import { endOf, type RecordBatch } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { Connection, RequestOptions } from './connection.ts';
import { QUERY_SETTINGS } from './query-settings.ts';
import { textLiteral } from './sql-literal.ts';

/** What an earlier flush may have left in the tables. */
export interface StoredBefore {
  /** The records that are in the table. */
  readonly positions: ReadonlyMap<StreamId, ReadonlySet<Position>>;
  /** The ranges that readers of new records know already. */
  readonly noted: ReadonlyMap<StreamId, Ranges>;
  /** For each stream: it has neither a record nor a noted range there or later. Not before the first of these records. */
  readonly ends: ReadonlyMap<StreamId, Position>;
}

export const NOTHING_BEFORE: StoredBefore = { positions: new Map(), noted: new Map(), ends: new Map() };

/**
 * Asks the tables which of these records they have. An INSERT that is still running is not seen: its rows have the
 * same keys, and are merged with ours.
 */
export async function storedBefore(
  connection: Connection,
  pieces: readonly RecordBatch[],
  request: Omit<RequestOptions, 'settings'>,
): Promise<StoredBefore> {
  const spans = [...spansOf(pieces)];
  const positions = new Map<StreamId, Set<Position>>();
  const noted = new Map<StreamId, Ranges>();
  const ends = new Map(spans.map(([stream, { start }]) => [stream, start]));
  const ended = (stream: StreamId, end: Position) => ends.set(stream, Math.max(ends.get(stream) ?? 0, end));
  const rows = (query: string) => connection.query(query, { ...request, settings: QUERY_SETTINGS });
  for (let from = 0; from < spans.length; from += STREAMS_PER_QUERY) {
    const some = spans.slice(from, from + STREAMS_PER_QUERY);
    for (const row of await rows(positionsOf(some))) {
      const stream = textOf(row, 'stream') as StreamId;
      const found = textOf(row, 'positions');
      if (found !== '') positions.set(stream, new Set(found.split(',').map(Number)));
      ended(stream, numberOf(row, 'last') + 1);
    }
    for (const row of await rows(notesOf(some))) {
      const stream = textOf(row, 'stream') as StreamId;
      const range = { start: numberOf(row, 'range_start'), end: numberOf(row, 'range_end') };
      noted.set(stream, addRange(noted.get(stream) ?? NO_RANGES, range));
      ended(stream, range.end);
    }
  }
  return { positions, noted, ends };
}

/** The positions of these records, and the last one of each stream. The index of streams leaves out nearly all rows. */
function positionsOf(spans: readonly (readonly [StreamId, Span])[]): string {
  const where = (condition: (span: Span) => string) =>
    spans.map(([stream, span]) => `(stream = ${textLiteral(stream)} and ${condition(span)})`).join(' or ');
  const isOfSpan = where(({ end }) => `position < ${end}`);
  return `select stream, max(position) as last,
      arrayStringConcat(groupUniqArrayIf(toString(position), ${isOfSpan}), ',') as positions
    from ${LOG_TABLE} where ${where(({ start }) => `position >= ${start}`)} group by stream settings final = 0`;
}

/** A note counts when the number of its flush is in `writers`, which is written last. */
function notesOf(spans: readonly (readonly [StreamId, Span])[]): string {
  const each = spans.map(
    ([stream, { start }]) => `(stream = ${textLiteral(stream)} and range_end > ${start})`,
  );
  return `select stream, range_start, range_end from stored_ranges
    join (select writer, last_flush from writers) as known using (writer)
    where flush <= last_flush and (${each.join(' or ')})`;
}

interface Span {
  start: Position;
  end: Position;
}

/** Limits the length of a query. */
const STREAMS_PER_QUERY = 500;

function spansOf(pieces: readonly RecordBatch[]): ReadonlyMap<StreamId, Span> {
  const spans = new Map<StreamId, Span>();
  for (const piece of pieces) {
    const span = spans.get(piece.stream);
    const end = endOf(piece);
    if (span === undefined) spans.set(piece.stream, { start: piece.start, end });
    else {
      span.start = Math.min(span.start, piece.start);
      span.end = Math.max(span.end, end);
    }
  }
  return spans;
}
