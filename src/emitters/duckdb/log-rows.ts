import duckdb, { type Appender, type Connection } from '@duckdb/node-bindings';
import type { AccessLogFields } from '../../formats/access-log-fields.ts';
import { severityOfStatus } from '../../formats/combined.ts';
import { BatchRows } from '../../logstore/batch-rows.ts';
import { ATTRIBUTE_COLUMNS, LOG_TABLE } from '../../logstore/log-columns.ts';
import { isOriginColumn, type LogRow } from '../../logstore/log-row.ts';
import { NOTED_KEYS } from '../../logstore/own-names.ts';
import { StoredTimes } from '../../logstore/stored-times.ts';
import type { LogRecord } from '../../records/log-record.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import {
  ATTRIBUTES,
  BODY,
  CLIENT,
  FIRST_ATTRIBUTE,
  FORMAT,
  HOST,
  LAYOUT,
  METHOD,
  OBSERVED_TIME,
  PATH,
  POSITION,
  SERVICE,
  SEVERITY_NUMBER,
  SEVERITY_TEXT,
  SIZE,
  SOURCE,
  STATUS,
  STREAM,
  TIME,
  USER,
  VERSION,
} from './log-layout.ts';
import { CHUNK_ROWS, RowChunk } from './row-chunk.ts';

/** Writes the rows of slices into `log_records`, within the transaction of its connection. */
export class LogRows {
  readonly #connection: Connection;
  readonly #chunk: RowChunk;
  #appender: Appender | undefined;
  #chunksHeld = 0;
  /** The part of the current batch that is on the heap of the chunk begins here, in the batch ... */
  #heldFrom = 0;
  #heldTo = 0;
  /** ... and here, on the heap. */
  #heldAt = 0;

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
    const rows = new BatchRows(slice);
    const { data, sizes } = slice;
    const batch = { rows, data, stream: uuidWords(slice.stream), meanSize: data.length / sizes.length };
    const times = new StoredTimes(minutes);
    for (const key of rows.origin.attributes.keys()) noteName(key, null, names);
    this.#heldTo = 0;
    rows.visitNext({
      line: (fields, start, position) => {
        times.note(fields.unixMicro);
        this.#addLine(fields, { batch, start, position });
      },
      text: (start, end, position) => {
        times.note(rows.shared.timeUnixMicro);
        this.#addText(start, end, { batch, start, position });
      },
      row: (row, record) => {
        times.note(row.timeUnixMicro);
        if (row.attributes !== null) noteNames(record, row, names);
        this.#addRow(row, batch.stream);
      },
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

  /** The texts of a line are parts of its bytes, which are copied to the heap together with other lines. */
  #addLine(fields: AccessLogFields, { batch, start, position }: PlacedRow): void {
    const chunk = this.#chunk;
    const shift = this.#holdBytes(batch, start, fields.end);
    this.#beginRow(batch.rows.shared, batch.stream, position);
    chunk.setInt64(TIME, fields.unixMicro);
    chunk.setInt16(SEVERITY_NUMBER, severityOfStatus(fields.status));
    chunk.setNull(SEVERITY_TEXT);
    chunk.setHeld(BODY, start + shift, fields.end - start);
    this.#addLineAttributes(fields, batch);
    chunk.setHeld(CLIENT, fields.clientStart + shift, fields.clientEnd - fields.clientStart);
    const userLength = fields.userEnd - fields.userStart;
    if (userLength === 0) chunk.setNull(USER);
    else chunk.setHeld(USER, fields.userStart + shift, userLength);
    chunk.setHeld(METHOD, fields.methodStart + shift, fields.methodEnd - fields.methodStart);
    chunk.setHeld(PATH, fields.pathStart + shift, fields.pathEnd - fields.pathStart);
    chunk.setHeld(VERSION, fields.versionStart + shift, fields.versionEnd - fields.versionStart);
    chunk.setInt16(STATUS, fields.status);
    if (fields.size < 0) chunk.setNull(SIZE);
    else chunk.setInt64(SIZE, fields.size);
    if (chunk.isFull) this.#appendChunk();
  }

  #addLineAttributes(fields: AccessLogFields, { rows: { lineAttributes }, data }: PlacedBatch): void {
    const chunk = this.#chunk;
    const from = chunk.held;
    const end = lineAttributes.write(chunk.room(lineAttributes.roomBytes(fields)), from, data, fields);
    chunk.holdTo(end);
    if (end === from) chunk.setNull(ATTRIBUTES);
    else chunk.setHeld(ATTRIBUTES, from, end - from);
  }

  #addText(start: number, end: number, { batch, position }: PlacedRow): void {
    const chunk = this.#chunk;
    const { shared } = batch.rows;
    const shift = this.#holdBytes(batch, start, end);
    this.#beginRow(shared, batch.stream, position);
    chunk.setInt64(TIME, shared.timeUnixMicro);
    chunk.setNull(SEVERITY_NUMBER);
    chunk.setNull(SEVERITY_TEXT);
    chunk.setHeld(BODY, start + shift, end - start);
    setText(chunk, ATTRIBUTES, shared.attributes);
    for (let column = FIRST_ATTRIBUTE; column < LAYOUT.length; column++) chunk.setNull(column);
    if (chunk.isFull) this.#appendChunk();
  }

  /**
   * Copies the bytes `[start, end)` of a batch to the heap of the chunk, together with those of the records
   * that probably follow in this chunk. Returns the difference of an offset on the heap and in the batch.
   */
  #holdBytes({ data, meanSize }: PlacedBatch, start: number, end: number): number {
    if (end > this.#heldTo) {
      const likelyEnd = start + Math.ceil((CHUNK_ROWS - this.#chunk.rows) * meanSize);
      this.#heldFrom = start;
      this.#heldTo = Math.min(data.length, Math.max(end, likelyEnd));
      this.#heldAt = this.#chunk.hold(data.subarray(start, this.#heldTo));
    }
    return this.#heldAt - this.#heldFrom;
  }

  /** Starts a row with the values that do not depend on the content of its record. */
  #beginRow(row: LogRow, stream: Uint32Array, position: number): void {
    const chunk = this.#chunk;
    chunk.nextRow();
    chunk.setInt64(OBSERVED_TIME, row.observedTimeUnixMicro);
    setText(chunk, HOST, row.host);
    setText(chunk, SERVICE, row.service);
    setText(chunk, SOURCE, row.source);
    chunk.setText(FORMAT, row.format);
    chunk.setInt128(STREAM, stream);
    chunk.setInt64(POSITION, position);
  }

  #addRow(row: LogRow, stream: Uint32Array): void {
    const chunk = this.#chunk;
    this.#beginRow(row, stream, row.position);
    chunk.setInt64(TIME, row.timeUnixMicro);
    if (row.severityNumber === null) chunk.setNull(SEVERITY_NUMBER);
    else chunk.setInt16(SEVERITY_NUMBER, row.severityNumber);
    setText(chunk, SEVERITY_TEXT, row.severityText);
    chunk.setText(BODY, row.body);
    setText(chunk, ATTRIBUTES, row.attributes);
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
    this.#heldTo = 0;
    this.#chunksHeld += 1;
    if (this.#chunksHeld < MAX_CHUNKS_HELD) return;
    duckdb.appender_flush_sync(this.#appender);
    this.#chunksHeld = 0;
  }
}

const COLUMN_INDEX: ReadonlyMap<string, number> = new Map(
  ATTRIBUTE_COLUMNS.map(({ attribute }, index) => [attribute, index]),
);
const NO_COLUMN = -1;

interface PlacedBatch {
  readonly rows: BatchRows;
  readonly data: Uint8Array;
  readonly stream: Uint32Array;
  /** The size of its records. */
  readonly meanSize: number;
}

interface PlacedRow {
  readonly batch: PlacedBatch;
  readonly start: number;
  readonly position: number;
}

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
