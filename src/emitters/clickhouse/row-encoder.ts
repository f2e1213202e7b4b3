import type { AccessLogFields } from '../../formats/access-log-fields.ts';
import { severityOfStatus } from '../../formats/combined.ts';
import type { BatchRows } from '../../logstore/batch-rows.ts';
import { copyBytes } from '../../logstore/line-attributes.ts';
import { ATTRIBUTE_COLUMNS } from '../../logstore/log-columns.ts';
import type { LogRow } from '../../logstore/log-row.ts';
import type { LogRecord } from '../../records/log-record.ts';
import type { Position } from '../../records/position.ts';
import { DayRows } from './day-rows.ts';
import { jsonText } from './json-text.ts';
import {
  MAX_LENGTH_BYTES,
  writeBytes,
  writeInt16,
  writeInt64,
  writeLength,
  writeNull,
  writeNullableText,
  writePresent,
  writeText,
} from './row-binary.ts';

/**
 * Encodes rows in ClickHouse's format RowBinary, those of each day apart: a day is a partition. The columns that
 * records of a slice usually share come first, and are encoded once for each run of equal values.
 */
export class RowEncoder {
  readonly #days = new Map<number, DayRows>();
  #last: DayRows | undefined;
  #lastDay = Number.NaN;

  /** The encoded rows by their day, which is counted from 1970. */
  get days(): ReadonlyMap<number, DayRows> {
    return this.#days;
  }

  /** Appends the next records of a batch. `data`: the bytes of the batch. */
  add(rows: BatchRows, data: Uint8Array, { records, onRow }: EncodedPart): void {
    const batch: PlacedBatch = { rows, data, shared: sharedFields(rows.shared).bytes, own: undefined };
    rows.visitNext(
      {
        line: (fields, start, position) => {
          if (onRow(fields.unixMicro, position)) this.#writeLine(fields, { batch, start, position });
        },
        text: (start, end, position) => {
          if (onRow(rows.shared.timeUnixMicro, position)) this.#writeText(end, { batch, start, position });
        },
        row: (row, record) => {
          if (onRow(row.timeUnixMicro, row.position, row, record)) this.#writeRow(row, sharedBy(row, batch));
        },
      },
      records,
    );
  }

  /** Most bytes of a line are copied as they are: its texts are parts of it. */
  #writeLine(fields: AccessLogFields, { batch, start, position }: PlacedRow): void {
    const { data, shared, rows } = batch;
    const attributeBytes = rows.lineAttributes.roomBytes(fields);
    const day = this.#dayOf(fields.unixMicro);
    const sizeBytes =
      shared.length + ROW_BYTES + 2 * (fields.end - start) + attributeBytes + MAX_LENGTH_BYTES;
    const frame = day.reserve(sizeBytes);
    let at = copyBytes(frame, day.offset, shared, 0, shared.length);
    at = writeInt64(frame, at, fields.unixMicro);
    at = writeInt64(frame, at, position);
    at = writeInt16(frame, writePresent(frame, at), severityOfStatus(fields.status));
    at = writeNull(frame, at);
    at = writeBytes(frame, at, data, start, fields.end);
    at = writeLineAttributes(frame, at, fields, batch);
    at = writeBytes(frame, writePresent(frame, at), data, fields.clientStart, fields.clientEnd);
    at =
      fields.userEnd === fields.userStart
        ? writeNull(frame, at)
        : writeBytes(frame, writePresent(frame, at), data, fields.userStart, fields.userEnd);
    at = writeBytes(frame, writePresent(frame, at), data, fields.methodStart, fields.methodEnd);
    at = writeBytes(frame, writePresent(frame, at), data, fields.pathStart, fields.pathEnd);
    at = writeBytes(frame, writePresent(frame, at), data, fields.versionStart, fields.versionEnd);
    at = writeInt16(frame, writePresent(frame, at), fields.status);
    day.rowEnd(
      fields.size < 0 ? writeNull(frame, at) : writeInt64(frame, writePresent(frame, at), fields.size),
    );
  }

  #writeText(end: number, { batch, start, position }: PlacedRow): void {
    const { data, shared, rows } = batch;
    const { timeUnixMicro, attributes } = rows.shared;
    const day = this.#dayOf(timeUnixMicro);
    const frame = day.reserve(
      shared.length + ROW_BYTES + end - start + (attributes?.length ?? 0) * MAX_UNIT_BYTES,
    );
    let at = copyBytes(frame, day.offset, shared, 0, shared.length);
    at = writeInt64(frame, at, timeUnixMicro);
    at = writeInt64(frame, at, position);
    at = writeNull(frame, writeNull(frame, at));
    at = writeBytes(frame, at, data, start, end);
    at = writeNullableText(frame, at, attributes);
    for (let index = 0; index < ATTRIBUTE_COLUMNS.length; index++) at = writeNull(frame, at);
    day.rowEnd(at);
  }

  #writeRow(row: LogRow, shared: Uint8Array): void {
    const attributes = row.attributes === null ? null : jsonText(row.attributes);
    const day = this.#dayOf(row.timeUnixMicro);
    const units = textUnits(row) + (attributes?.length ?? 0);
    const frame = day.reserve(shared.length + ROW_BYTES + units * MAX_UNIT_BYTES);
    let at = copyBytes(frame, day.offset, shared, 0, shared.length);
    at = writeInt64(frame, at, row.timeUnixMicro);
    at = writeInt64(frame, at, row.position);
    at =
      row.severityNumber === null
        ? writeNull(frame, at)
        : writeInt16(frame, writePresent(frame, at), row.severityNumber);
    at = writeNullableText(frame, at, row.severityText);
    at = writeText(frame, at, row.body);
    at = writeNullableText(frame, at, attributes);
    for (let index = 0; index < ATTRIBUTE_COLUMNS.length; index++) {
      const value = row.columns[index] ?? null;
      if (value === null) at = writeNull(frame, at);
      else if (typeof value === 'string') at = writeNullableText(frame, at, value);
      else if (ATTRIBUTE_COLUMNS[index]?.type === 'smallint')
        at = writeInt16(frame, writePresent(frame, at), value);
      else at = writeInt64(frame, writePresent(frame, at), value);
    }
    day.rowEnd(at);
  }

  #dayOf(unixMicro: number): DayRows {
    const day = Math.floor(unixMicro / DAY_MICRO);
    if (day === this.#lastDay && this.#last !== undefined) return this.#last;
    const found = this.#days.get(day) ?? new DayRows();
    this.#days.set(day, found);
    this.#last = found;
    this.#lastDay = day;
    return found;
  }
}

/** In the order of the fields of a row. */
export const INSERTED_COLUMNS: readonly string[] = [
  'observed_time',
  'host',
  'service',
  'source',
  'format',
  'stream',
  'time',
  'position',
  'severity_number',
  'severity_text',
  'body',
  'attributes',
  ...ATTRIBUTE_COLUMNS.map(({ column }) => column),
];

export interface EncodedPart {
  readonly records: number;
  /** Called for every record; false: its row is not encoded. `row` and `record`: of a record that is no line. */
  readonly onRow: (timeUnixMicro: number, position: Position, row?: LogRow, record?: LogRecord) => boolean;
}

export const DAY_MICRO = 86_400_000_000;
/** UTF-8 needs at most three bytes for a UTF-16 unit. */
const MAX_UNIT_BYTES = 3;
/** Size of a row without its texts: lengths, numbers and marks of null, with a margin. */
const ROW_BYTES = 256;

interface PlacedBatch {
  readonly rows: BatchRows;
  readonly data: Uint8Array;
  readonly shared: Uint8Array;
  /** The fields of the last record with its own host or service. */
  own: SharedFields | undefined;
}

interface PlacedRow {
  readonly batch: PlacedBatch;
  readonly start: number;
  readonly position: number;
}

/** The fields that are equal for all records of a batch with this host and service. */
interface SharedFields extends Pick<LogRow, 'host' | 'service'> {
  readonly bytes: Uint8Array;
}

function sharedFields(row: LogRow): SharedFields {
  const texts = [row.host, row.service, row.source];
  const units = texts.reduce((sum, text) => sum + (text?.length ?? 0), row.format.length);
  const bytes = Buffer.allocUnsafe(ROW_BYTES + units * MAX_UNIT_BYTES);
  let at = writeInt64(bytes, 0, row.observedTimeUnixMicro);
  for (const text of texts) at = writeNullableText(bytes, at, text);
  at = writeText(bytes, at, row.format);
  at += bytes.write(row.stream, at, 'latin1');
  return { host: row.host, service: row.service, bytes: bytes.subarray(0, at) };
}

/** The length is written after the text, whose size is not known before: it takes the room of its longest form. */
function writeLineAttributes(
  frame: Buffer,
  at: number,
  fields: AccessLogFields,
  { rows, data }: PlacedBatch,
): number {
  const textStart = at + 1 + MAX_LENGTH_BYTES;
  const textEnd = rows.lineAttributes.write(frame, textStart, data, fields);
  if (textEnd === textStart) return writeNull(frame, at);
  const start = writeLength(frame, writePresent(frame, at), textEnd - textStart);
  frame.copyWithin(start, textStart, textEnd);
  return start + textEnd - textStart;
}

/** Without those of the attributes. */
function textUnits(row: LogRow): number {
  let units = row.body.length + (row.severityText?.length ?? 0);
  for (const value of row.columns) if (typeof value === 'string') units += value.length;
  return units;
}

/** The shared fields of the batch, or those of a record that has its own host or service. */
function sharedBy(row: LogRow, batch: PlacedBatch): Uint8Array {
  if (hasOrigin(row, batch.rows.shared)) return batch.shared;
  if (batch.own === undefined || !hasOrigin(row, batch.own)) batch.own = sharedFields(row);
  return batch.own.bytes;
}

function hasOrigin(row: LogRow, { host, service }: Pick<LogRow, 'host' | 'service'>): boolean {
  return row.host === host && row.service === service;
}
