import type { PoolClient } from 'pg';
import { rangesToText } from '../../logstore/stored-ranges.ts';
import { MICRO_PER_MINUTE, type StoredTimes } from '../../logstore/stored-times.ts';
import type { Ranges } from '../../records/ranges.ts';
import { endOf, type RecordBatch } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';

/** Records the result of a flush in its transaction; see `src/logstore/schema.ts`. */
export async function recordFlush(
  client: PoolClient,
  { writer, ranges, pieces, minutes }: FlushRecord,
): Promise<void> {
  await client.query(RECORD_FLUSH, [
    writer,
    [...ranges.keys()],
    [...ranges.values()].map(rangesToText),
    pieces.map(({ batch }) => batch.stream),
    pieces.map(({ batch }) => batch.start),
    pieces.map(({ batch }) => endOf(batch)),
    pieces.map(({ times }) => times.minUnixMicro),
    pieces.map(({ times }) => times.maxUnixMicro),
    [...minutes].map((minute) => minute * MICRO_PER_MINUTE),
  ]);
}

/** A part of a slice that is not yet stored. */
export interface Piece {
  readonly batch: RecordBatch;
  /** Times of its rows; known after encoding. */
  readonly times: StoredTimes;
}

export interface FlushRecord {
  readonly writer: string;
  readonly ranges: ReadonlyMap<StreamId, Ranges>;
  readonly pieces: readonly Piece[];
  /** Since 1970. */
  readonly minutes: ReadonlySet<number>;
}

const timeOf = (micro: string) => `(timestamptz 'epoch' + ${micro} * interval '1 microsecond')`;

/**
 * The database counts the flushes: only it knows whether a COMMIT with unknown result succeeded. Two flushes
 * of one writer never overlap: the second waits for the row lock of the first.
 */
const RECORD_FLUSH = `
with this as (
  insert into writers as known (writer, last_flush, seen_at) values ($1::uuid, 1, now())
  on conflict (writer) do update set last_flush = known.last_flush + 1, seen_at = now()
  returning writer, last_flush as flush
), updated as (
  update streams set ranges = new.ranges, updated_at = now()
  from unnest($2::uuid[], $3::text[]) as new (stream, ranges) where streams.stream = new.stream
), stored as (
  insert into stored_ranges (writer, flush, stored_at, stream, range_start, range_end, min_time, max_time)
  select this.writer, this.flush, now(), stream, range_start, range_end, ${timeOf('min_time')}, ${timeOf('max_time')}
  from this, unnest($4::uuid[], $5::bigint[], $6::bigint[], $7::float8[], $8::float8[])
    as piece (stream, range_start, range_end, min_time, max_time)
), touched as (
  insert into touched_minutes (writer, flush, stored_at, minute)
  select this.writer, this.flush, now(), ${timeOf('minute')} from this, unnest($9::float8[]) as minute
)
select flush from this`;
