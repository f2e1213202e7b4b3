import { setImmediate as turn } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Position } from '../../records/position.ts';
import { addRange, outside, type Ranges } from '../../records/ranges.ts';
import {
  endOf,
  offsetOfRecord,
  type RecordBatch,
  sliceBytes,
  sliceRecords,
} from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import { LOG_TABLE } from '../../store/log-columns.ts';
import { type LogRow, rowOrigin } from '../../store/log-row.ts';
import { rangesFromText } from '../../store/stored-ranges.ts';
import { MICRO_PER_MINUTE, StoredTimes } from '../../store/stored-times.ts';
import { COPY_COLUMNS, CopyEncoder } from './copy-encoder.ts';
import { CopyIn } from './copy-in.ts';
import { rowOf } from './failure.ts';
import { keepBooks, type Piece } from './keep-books.ts';

/** Records that are parsed and encoded at a stretch; in between others get their turn: searches share the thread. */
const STRETCH_RECORDS = 256;
const DAY_MICRO = 86_400_000_000;
const COPY = `copy ${LOG_TABLE} (${COPY_COLUMNS.join(', ')}) from stdin with (format binary)`;

/** What a flush has brought. */
export interface Stored {
  readonly rows: number;
  /** Bytes of records, and those that had been stored before. */
  readonly bytes: number;
  readonly repeatedBytes: number;
  /** Days (since 1970, in UTC) of the rows. */
  readonly days: ReadonlySet<number>;
}

export interface StoreOptions {
  readonly writer: string;
  /** Records of more days than this are not stored: TooManyDaysError. Default: no limit. */
  readonly maxDays?: number | undefined;
}

/** The records are of more days than one transaction may make chunks for. */
export class TooManyDaysError extends Error {
  override readonly name = 'TooManyDaysError';
}

/** COPY failed; `at`: with this record, if the server says. */
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

/**
 * Stores slices within a transaction, each of their bytes once:
 *
 *     lock the streams' rows, in the order of their ids       nobody else stores bytes of these streams until we end,
 *                                                             and nobody waits for us while we wait for him
 *     cut what their ranges have                              a repetition; of this flush itself, too
 *     COPY the rest                                           parsed and encoded here, while the server is at work
 *     write ranges, flush number, what was touched            one statement
 *
 * A transaction that has the lock sees every range committed before (read committed: each statement sees what is
 * committed when it begins). That is all that exactly-once needs: an aggregator that took over, a repetition after a
 * COMMIT of which nobody heard, and a COMMIT that is still going on (it holds the lock) are one and the same.
 */
export async function storeSlices(
  client: PoolClient,
  slices: readonly RecordBatch[],
  { writer, maxDays }: StoreOptions,
): Promise<Stored> {
  const ranges = await lockStreams(client, slices);
  const minutes = new Set<number>();
  const pieces = cutStored(slices, ranges, minutes);
  const sum = (batches: readonly RecordBatch[]) => batches.reduce((all, { data }) => all + data.length, 0);
  const bytes = sum(pieces.map(({ batch }) => batch));
  const repeatedBytes = sum(slices) - bytes;
  if (pieces.length === 0) return { rows: 0, bytes, repeatedBytes, days: new Set() };

  const copy = new CopyIn(COPY, (write) => writeRows(pieces, write, () => refuseManyDays(minutes, maxDays)));
  client.query(copy);
  const rows = await copy.done.catch((error: unknown) => {
    throw new CopyError(error, placeOfRow(pieces, rowOf(error)));
  });
  await keepBooks(client, { writer, ranges, pieces, minutes });
  return { rows, bytes, repeatedBytes, days: daysOf(minutes) };
}

function daysOf(minutes: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...minutes].map((minute) => Math.floor((minute * MICRO_PER_MINUTE) / DAY_MICRO)));
}

/** Nearly always there are fewer minutes than days are allowed, and nothing is counted. */
function refuseManyDays(minutes: ReadonlySet<number>, maxDays = Number.POSITIVE_INFINITY): void {
  if (minutes.size <= maxDays || daysOf(minutes).size <= maxDays) return;
  throw new TooManyDaysError(`the records are of more than ${maxDays} days`);
}

/** So many times the row of a stream may vanish between two statements (somebody forgets old streams). */
const LOCK_ATTEMPTS = 3;

async function lockStreams(
  client: PoolClient,
  slices: readonly RecordBatch[],
): Promise<Map<StreamId, Ranges>> {
  const streams = [...new Set(slices.map(({ stream }) => stream))].sort();
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
    const { rows } = await client.query<{ stream: StreamId; ranges: string }>(LOCK_STREAMS, [streams]);
    if (rows.length === streams.length) {
      return new Map(rows.map(({ stream, ranges }) => [stream, rangesFromText(ranges)]));
    }
    await client.query(ADD_STREAMS, [streams]);
  }
  throw new Error('the rows of streams vanish as soon as they are written');
}

const ADD_STREAMS = `insert into streams (stream, ranges, updated_at)
  select stream, '[]', now() from unnest($1::uuid[]) stream order by stream
  on conflict (stream) do nothing`;

/** Sorted first, locked then: the lock is taken row by row as they come. */
const LOCK_STREAMS = `select replace(stream::text, '-', '') as stream, ranges
  from streams where stream = any ($1::uuid[]) order by streams.stream for update`;

/** The parts of the slices that `ranges` do not have, in order; they are added to them. */
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

/** Rows are numbered through all pieces. */
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

async function writeRows(
  pieces: readonly Piece[],
  write: (frames: Uint8Array) => Promise<void>,
  check: () => void,
): Promise<void> {
  let piece: Piece | undefined;
  const encoder = new CopyEncoder(({ timeUnixMicro }: LogRow) => piece?.times.note(timeUnixMicro));
  for (piece of pieces) {
    const { batch } = piece;
    const origin = rowOrigin(batch.resource);
    for (let from = 0; from < batch.sizes.length; from += STRETCH_RECORDS) {
      encoder.add(sliceRecords(batch, from, Math.min(from + STRETCH_RECORDS, batch.sizes.length)), origin);
      check();
      for (const frames of encoder.takeFull()) await write(frames);
      await turn();
    }
  }
  for (const frames of encoder.end()) await write(frames);
}
