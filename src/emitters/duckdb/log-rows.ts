import duckdb, { type Appender, type Connection } from '@duckdb/node-bindings';
import { forEachLogRecord } from '../../formats/record-view.ts';
import { ATTRIBUTE_COLUMNS, LOG_COLUMNS, LOG_TABLE, RECORD_COLUMNS } from '../../logstore/log-columns.ts';
import { isOriginColumn, type LogRow, logRow, rowOrigin } from '../../logstore/log-row.ts';
import { NOTED_KEYS } from '../../logstore/own-names.ts';
import { StoredTimes } from '../../logstore/stored-times.ts';
import type { LogRecord } from '../../records/log-record.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import { type ChunkColumn, RowChunk } from './row-chunk.ts';

/** Writes the rows of slices into `log_records`, within the transaction of its connection. */
export class LogRows {
  readonly #connection: Connection;
  readonly #chunk: RowChunk;
  #appender: Appender | undefined;
  #chunksHeld = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    const appender = duckdb.appender_create(connection, null, LOG_TABLE);
    const types = LAYOUT.map((_, index) => duckdb.appender_column_type(appender, index));
    duckdb.appender_close_sync(appender);
    this.#chunk = new RowChunk(types, LAYOUT);
  }

  begin(): void {
    this.#chunk.clear();
    this.#chunksHeld = 0;
    this.#appender = duckdb.appender_create(this.#connection, null, LOG_TABLE);
  }

  /**
   * Notes the minutes of the records (since 1970), and the names of columns that they use (`own-names.ts`).
   */
  append(slice: RecordBatch, { minutes, names }: RowNotes): StoredTimes {
    const origin = rowOrigin(slice.resource);
    const stream = uuidWords(slice.stream);
    const times = new StoredTimes(minutes);
    for (const key of origin.attributes.keys()) noteName(key, null, names);
    forEachLogRecord(slice, (record) => {
      const row = logRow(record, origin);
      times.note(row.timeUnixMicro);
      if (row.attributes !== null) noteNames(record, row, names);
      this.#addRow(row, stream);
    });
    return times;
  }

  /** Appends the remaining rows, so that the transaction contains all of them. */
  finish(): void {
    const appender = this.#appender;
    if (appender === undefined) return;
    if (this.#chunk.rows > 0) this.#appendChunk();
    duckdb.appender_flush_sync(appender);
    duckdb.appender_close_sync(appender);
    this.#appender = undefined;
  }

  /** Discards rows that were not appended yet. */
  abandon(): void {
    const appender = this.#appender;
    this.#appender = undefined;
    if (appender === undefined) return;
    duckdb.appender_clear(appender);
    duckdb.appender_close_sync(appender);
  }

  #addRow(row: LogRow, stream: Uint32Array): void {
    const chunk = this.#chunk;
    chunk.nextRow();
    chunk.setInt64(TIME, row.timeUnixMicro);
    chunk.setInt64(OBSERVED_TIME, row.observedTimeUnixMicro);
    if (row.severityNumber === null) chunk.setNull(SEVERITY_NUMBER);
    else chunk.setInt16(SEVERITY_NUMBER, row.severityNumber);
    setText(chunk, SEVERITY_TEXT, row.severityText);
    setText(chunk, HOST, row.host);
    setText(chunk, SERVICE, row.service);
    setText(chunk, SOURCE, row.source);
    chunk.setText(FORMAT, row.format);
    chunk.setText(BODY, row.body);
    setText(chunk, ATTRIBUTES, row.attributes);
    chunk.setInt128(STREAM, stream);
    chunk.setInt64(POSITION, row.position);
    for (let index = 0; index < ATTRIBUTE_COLUMNS.length; index++) {
      const value = row.columns[index] ?? null;
      const column = FIRST_ATTRIBUTE + index;
      if (value === null) chunk.setNull(column);
      else if (typeof value === 'string') chunk.setText(column, value);
      else if (LAYOUT[column]?.cellBytes === 2) chunk.setInt16(column, value);
      else chunk.setInt64(column, value);
    }
    if (chunk.isFull) this.#appendChunk();
  }

  #appendChunk(): void {
    if (this.#appender === undefined) throw new Error('Cannot append rows: no transaction is open');
    this.#chunk.finish();
    duckdb.append_data_chunk(this.#appender, this.#chunk.chunk);
    this.#chunk.clear();
    this.#chunksHeld += 1;
    if (this.#chunksHeld < MAX_CHUNKS_HELD) return;
    duckdb.appender_flush_sync(this.#appender);
    this.#chunksHeld = 0;
  }
}

const CELL_BYTES = { timestamptz: 8, smallint: 2, bigint: 8, text: 16, json: 16, uuid: 16 } as const;

const LAYOUT: readonly ChunkColumn[] = [...RECORD_COLUMNS, ...ATTRIBUTE_COLUMNS].map(({ type }) => ({
  cellBytes: CELL_BYTES[type],
  isText: type === 'text' || type === 'json',
}));

const TIME = LOG_COLUMNS.indexOf('time');
const OBSERVED_TIME = LOG_COLUMNS.indexOf('observed_time');
const SEVERITY_NUMBER = LOG_COLUMNS.indexOf('severity_number');
const SEVERITY_TEXT = LOG_COLUMNS.indexOf('severity_text');
const HOST = LOG_COLUMNS.indexOf('host');
const SERVICE = LOG_COLUMNS.indexOf('service');
const SOURCE = LOG_COLUMNS.indexOf('source');
const FORMAT = LOG_COLUMNS.indexOf('format');
const BODY = LOG_COLUMNS.indexOf('body');
const ATTRIBUTES = LOG_COLUMNS.indexOf('attributes');
const STREAM = LOG_COLUMNS.indexOf('stream');
const POSITION = LOG_COLUMNS.indexOf('position');
const FIRST_ATTRIBUTE = RECORD_COLUMNS.length;
const COLUMN_INDEX: ReadonlyMap<string, number> = new Map(
  ATTRIBUTE_COLUMNS.map(({ attribute }, index) => [attribute, index]),
);
const NO_COLUMN = -1;

export interface RowNotes {
  readonly minutes: Set<number>;
  readonly names: Set<string>;
}

/** An appender's buffer is not part of DuckDB's memory limit; by default it would hold 204,800 rows. */
const MAX_CHUNKS_HELD = 8;

function setText(chunk: RowChunk, column: number, text: string | null): void {
  if (text === null) chunk.setNull(column);
  else chunk.setText(column, text);
}

const SIGN_BIT = 0x8000_0000;

/**
 * DuckDB stores a UUID as a 128-bit number with its first bit flipped, so that signed numbers have the order
 * of the text.
 */
function uuidWords(stream: StreamId): Uint32Array {
  const word = (index: number) => Number.parseInt(stream.slice(index * 8, index * 8 + 8), 16);
  return Uint32Array.of(word(3), word(2), word(1), (word(0) ^ SIGN_BIT) >>> 0);
}

function noteNames({ attributes }: LogRecord, { columns }: LogRow, names: Set<string>): void {
  for (const [key, value] of attributes) {
    if (NOTED_KEYS.has(key) && !isOriginColumn(key, value))
      noteName(key, columns[COLUMN_INDEX.get(key) ?? NO_COLUMN] ?? null, names);
  }
}

/** `stored`: the value in the column of this name. Then it is not in `attributes`. */
function noteName(key: string, stored: string | number | null, names: Set<string>): void {
  if (stored === null && NOTED_KEYS.has(key)) names.add(key);
}
