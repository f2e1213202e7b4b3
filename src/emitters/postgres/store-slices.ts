import { setImmediate as turn } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { BatchRows } from '../../logstore/batch-rows.ts';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { rangesFromText } from '../../logstore/stored-ranges.ts';
import { MICRO_PER_MINUTE, StoredTimes } from '../../logstore/stored-times.ts';
import type { DroppedRange } from '../../records/batch.ts';
import type { Position } from '../../records/position.ts';
import { addRange, outside, type Ranges } from '../../records/ranges.ts';
import { endOf, offsetOfRecord, type RecordBatch, sliceBytes } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import { COPY_COLUMNS, CopyEncoder } from './copy-encoder.ts';
import { CopyIn, type CopyWrite } from './copy-in.ts';
import { failedRow } from './describe-failure.ts';
import { type Piece, recordFlush } from './record-flush.ts';

/**
 * Stores slices within a transaction, each byte once:
 *
 *     lock the rows of the streams in the order of their ids   no other transaction stores these streams until the end;
 *                                                              the order prevents deadlocks
 *     remove bytes in the ranges of the streams                duplicates, also within this flush
 *     COPY the rest                                            encoded here while the server stores earlier rows
 *     write ranges, flush number, touched minutes              one statement
 *
 * A transaction with the lock sees every range committed before (read committed: each statement sees the data
 * committed when it starts). This is sufficient for exactly-once: it covers another aggregator that took
 * over, a retry after a COMMIT with unknown result, and a COMMIT still in progress (which holds the lock).
 */
export async function storeSlices(
  client: PoolClient,
  slices: readonly RecordBatch[],
  { writer, maxDays, dropped = [] }: StoreSlicesOptions,
): Promise<FlushResult> {
  const ranges = await lockStreams(client, [...slices, ...dropped]);
  const minutes = new Set<number>();
  const pieces = cutStored(slices, ranges, minutes);
  const isDropNew = addDropped(dropped, ranges);
  const sum = (batches: readonly RecordBatch[]) => batches.reduce((all, { data }) => all + data.length, 0);
  const bytes = sum(pieces.map(({ batch }) => batch));
  const repeatedBytes = sum(slices) - bytes;
  if (pieces.length === 0) {
    if (isDropNew) await recordFlush(client, { writer, ranges, pieces, minutes });
    return { rows: 0, bytes, repeatedBytes, days: new Set() };
  }

  const copy = new CopyIn(COPY, (write) => writeRows(pieces, write, () => refuseManyDays(minutes, maxDays)));
  client.query(copy);
  const rows = await copy.done.catch((error: unknown) => {
    throw new CopyError(error, placeOfRow(pieces, failedRow(error)));
  });
  await recordFlush(client, { writer, ranges, pieces, minutes });
  return { rows, bytes, repeatedBytes, days: daysOf(minutes) };
}

/** Records parsed and encoded at a time; in between, other work of the thread runs, such as searches. */
const STRETCH_RECORDS = 1024;
const DAY_MICRO = 86_400_000_000;
const COPY = `copy ${LOG_TABLE} (${COPY_COLUMNS.join(', ')}) from stdin with (format binary)`;

/** The result of a flush. */
export interface FlushResult {
  readonly rows: number;
  /** Bytes of stored records, and of records that were already stored. */
  readonly bytes: number;
  readonly repeatedBytes: number;
  /** Days of the rows (since 1970, UTC). */
  readonly days: ReadonlySet<number>;
}

export interface StoreSlicesOptions {
  readonly writer: string;
  /** Throws TooManyDaysError for records of more days. Default: no limit. */
  readonly maxDays?: number | undefined;
  /** Bytes that a filter has dropped: they become part of the ranges of their streams. */
  readonly dropped?: readonly DroppedRange[];
}

/** The records are of more days than one transaction can create chunks for. */
export class TooManyDaysError extends Error {
  override readonly name = 'TooManyDaysError';
}

/** COPY failed; `at`: the failing record, if the server reports it. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  override readonly cause: unknown;
  readonly at: { readonly stream: StreamId; readonly position: Position } | undefined;

  constructor(cause: unknown, at: CopyError['at']) {
    super('COPY failed');
    this.cause = cause;
    this.at = at;
  }
}

function daysOf(minutes: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...minutes].map((minute) => Math.floor((minute * MICRO_PER_MINUTE) / DAY_MICRO)));
}

/** Usually there are fewer minutes than allowed days, so days need not be counted. */
function refuseManyDays(minutes: ReadonlySet<number>, maxDays = Number.POSITIVE_INFINITY): void {
  if (minutes.size <= maxDays || daysOf(minutes).size <= maxDays) return;
  throw new TooManyDaysError(`the records are of more than ${maxDays} days`);
}

/**
 * Maximum number of retries if the row of a stream disappears between two statements (old streams are
 * deleted).
 */
const LOCK_ATTEMPTS = 3;

async function lockStreams(
  client: PoolClient,
  slices: readonly { readonly stream: StreamId }[],
): Promise<Map<StreamId, Ranges>> {
  const streams = [...new Set(slices.map(({ stream }) => stream))].sort();
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
    const { rows } = await client.query<{ stream: StreamId; ranges: string }>(LOCK_STREAMS, [streams]);
    if (rows.length === streams.length) {
      return new Map(rows.map(({ stream, ranges }) => [stream, rangesFromText(ranges)]));
    }
    await client.query(ADD_STREAMS, [streams]);
  }
  throw new Error('the rows of streams disappear immediately after they are written');
}

const ADD_STREAMS = `insert into streams (stream, ranges, updated_at)
  select stream, '[]', now() from unnest($1::uuid[]) stream order by stream
  on conflict (stream) do nothing`;

/** Sorts before locking: rows are locked one by one in their order. */
const LOCK_STREAMS = `select replace(stream::text, '-', '') as stream, ranges
  from streams where stream = any ($1::uuid[]) order by streams.stream for update`;

/** Returns the parts of the slices outside of `ranges`, in order, and adds them to `ranges`. */
function cutStored(
  slices: readonly RecordBatch[],
  ranges: Map<StreamId, Ranges>,
  minutes: Set<number>,
): Piece[] {
  return slices.flatMap((slice) => {
    const range = { start: slice.start, end: endOf(slice) };
    const stored = ranges.get(slice.stream) ?? [];
    ranges.set(slice.stream, addRange(stored, range));
    return outside(range, stored).map(({ start, end }) => ({
      batch: sliceBytes(slice, start, end),
      times: new StoredTimes(minutes),
    }));
  });
}

/** False when all of them are in the ranges. */
function addDropped(dropped: readonly DroppedRange[], ranges: Map<StreamId, Ranges>): boolean {
  let isNew = false;
  for (const range of dropped) {
    const stored = ranges.get(range.stream) ?? [];
    isNew ||= outside(range, stored).length > 0;
    ranges.set(range.stream, addRange(stored, range));
  }
  return isNew;
}

/** Row numbers continue across the pieces. */
function placeOfRow(pieces: readonly Piece[], row: number | undefined): CopyError['at'] {
  if (row === undefined) return undefined;
  let index = row;
  for (const { batch } of pieces) {
    if (index < batch.sizes.length) {
      return { stream: batch.stream, position: batch.start + offsetOfRecord(batch, index) };
    }
    index -= batch.sizes.length;
  }
  return undefined;
}

async function writeRows(pieces: readonly Piece[], write: CopyWrite, check: () => void): Promise<void> {
  let piece: Piece | undefined;
  const encoder = new CopyEncoder((timeUnixMicro) => piece?.times.note(timeUnixMicro));
  for (piece of pieces) {
    const { batch } = piece;
    const rows = new BatchRows(batch);
    while (!rows.isAtEnd) {
      encoder.add(rows, batch.data, STRETCH_RECORDS);
      check();
      for (const frame of encoder.takeFull()) await write(frame, () => encoder.reuse(frame));
      await turn();
    }
  }
  for (const frames of encoder.end()) await write(frames);
}
