import { setImmediate as turn } from 'node:timers/promises';
import { BatchRows } from '../../logstore/batch-rows.ts';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { OWN_NAMES_TABLE } from '../../logstore/own-names.ts';
import { StoredTimes } from '../../logstore/stored-times.ts';
import { NO_RANGES, outside } from '../../records/ranges.ts';
import { endOf, type RecordBatch } from '../../records/record-batch.ts';
import type { Connection, RequestOptions } from './connection.ts';
import type { DayRows } from './day-rows.ts';
import { isUnreachable } from './describe-failure.ts';
import { type NotedRange, writeNotes } from './flush-notes.ts';
import { noteNames } from './note-names.ts';
import { INSERT_SETTINGS } from './query-settings.ts';
import { writeText } from './row-binary.ts';
import { INSERTED_COLUMNS, RowEncoder } from './row-encoder.ts';
import { NOTHING_BEFORE, type StoredBefore, storedBefore } from './stored-before.ts';

/**
 * Stores the records of a flush:
 *
 *     uncertain records only: ask the tables which of them they have
 *     own names          before the rows, so that no reader misses one
 *     rows               one INSERT for each day, with a token: repeated with the same token, it has no effect
 *     notes              for readers of new records, after the rows
 *
 * A failure leaves a part of this. Then all records are uncertain, and the next flush asks the tables.
 */
export async function storeSlices(
  pieces: readonly RecordBatch[],
  options: StoreSlicesOptions,
): Promise<FlushResult> {
  const { connection, isUncertain, request } = options;
  const before = isUncertain ? await storedBefore(connection, pieces, request) : NOTHING_BEFORE;
  const encoded = await encode(pieces, before, options.knownNames);
  await insertNames(encoded.names, options);
  for (const [day, rows] of encoded.encoder.days) await insertDay(day, rows, options);
  await writeNotes(
    connection,
    {
      ...{ writer: options.writer, flush: options.flush, nowUnixMicro: options.nowUnixMicro },
      ...{ ranges: encoded.ranges, minutes: encoded.minutes },
    },
    request,
  );
  const { rows, repeatedRows } = encoded;
  return { rows, repeatedRows };
}

export interface StoreSlicesOptions {
  readonly connection: Connection;
  readonly request: Omit<RequestOptions, 'settings'>;
  /** 32 digits, never used by another process. */
  readonly writer: string;
  /** The number of the flush. */
  readonly flush: number;
  readonly isUncertain: boolean;
  /** The names that this process has stored; new ones are added. */
  readonly knownNames: Set<string>;
  readonly nowUnixMicro: number;
}

export interface FlushResult {
  readonly rows: number;
  /** Records that were stored before. */
  readonly repeatedRows: number;
}

/** Records parsed and encoded at a time; in between, other work of the thread runs, such as searches. */
const STRETCH_RECORDS = 1024;
const INSERT_ROWS = `insert into ${LOG_TABLE} (${INSERTED_COLUMNS.join(', ')}) format RowBinary`;

interface Encoded {
  readonly encoder: RowEncoder;
  readonly ranges: readonly NotedRange[];
  readonly minutes: ReadonlySet<number>;
  readonly names: ReadonlySet<string>;
  readonly rows: number;
  readonly repeatedRows: number;
}

async function encode(
  pieces: readonly RecordBatch[],
  { positions, noted }: StoredBefore,
  knownNames: ReadonlySet<string>,
): Promise<Encoded> {
  const encoder = new RowEncoder();
  const minutes = new Set<number>();
  const names = new Set<string>();
  const ranges: NotedRange[] = [];
  let all = 0;
  let repeatedRows = 0;
  for (const piece of pieces) {
    const { stream, data } = piece;
    const stored = positions.get(stream);
    const times = new StoredTimes(minutes);
    const rows = new BatchRows(piece);
    noteNames({ resource: rows.origin.attributes }, names);
    while (!rows.isAtEnd) {
      encoder.add(rows, data, {
        records: STRETCH_RECORDS,
        onRow: (timeUnixMicro, position, row, record) => {
          times.note(timeUnixMicro);
          all++;
          if (row !== undefined && record !== undefined) noteNames({ row, record }, names);
          if (stored?.has(position) !== true) return true;
          repeatedRows++;
          return false;
        },
      });
      await turn();
    }
    const range = { start: piece.start, end: endOf(piece) };
    const { minUnixMicro, maxUnixMicro } = times;
    for (const part of outside(range, noted.get(stream) ?? NO_RANGES))
      ranges.push({ stream, ...part, minUnixMicro, maxUnixMicro });
  }
  for (const name of knownNames) names.delete(name);
  return { encoder, ranges, minutes, names, rows: all - repeatedRows, repeatedRows };
}

async function insertDay(day: number, rows: DayRows, options: StoreSlicesOptions): Promise<void> {
  const { connection, request, writer, flush } = options;
  if (rows.rows === 0) return;
  const settings = { ...INSERT_SETTINGS, insert_deduplication_token: `${writer}-${flush}-${day}` };
  const insert = () => connection.insert(INSERT_ROWS, rows.frames, { ...request, settings });
  try {
    await insert();
  } catch (error) {
    // The first one may have been stored; the server then ignores the second one.
    if (!isUnreachable(error) || request.signal?.aborted === true) throw error;
    await insert();
  }
}

async function insertNames(
  names: ReadonlySet<string>,
  { connection, request, knownNames }: StoreSlicesOptions,
): Promise<void> {
  if (names.size === 0) return;
  const rows = [...names].map((name) => {
    const bytes = Buffer.alloc(Buffer.byteLength(name) + 5);
    return bytes.subarray(0, writeText(bytes, 0, name));
  });
  await connection.insert(`insert into ${OWN_NAMES_TABLE} (name) format RowBinary`, rows, {
    ...request,
    settings: INSERT_SETTINGS,
  });
  for (const name of names) knownNames.add(name);
}
