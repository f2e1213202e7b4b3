import type { AccessLogFields } from '../../formats/access-log-fields.ts';
import { severityOfStatus } from '../../formats/combined.ts';
import type { BatchRows } from '../../logstore/batch-rows.ts';
import { ATTRIBUTE_COLUMNS } from '../../logstore/log-columns.ts';
import type { LogRow } from '../../logstore/log-row.ts';
import type { LogRecord } from '../../records/log-record.ts';
import type { Position } from '../../records/position.ts';
import { type DayBlock, type SharedFields, sharedFields } from './day-block.ts';
import { jsonText } from './json-text.ts';
import type { NativeColumn } from './native-column.ts';
import { MAX_LENGTH_BYTES, writeLength } from './row-binary.ts';
import type { SpareBlocks } from './spare-blocks.ts';

/** Encodes rows in ClickHouse's format Native, those of each day in a block of their own: a day is a partition. */
export class RowEncoder {
  readonly #days = new Map<number, DayBlock>();
  readonly #spare: Pick<SpareBlocks, 'take'>;
  #last: DayBlock | undefined;
  #lastDay = Number.NaN;

  constructor(spare: Pick<SpareBlocks, 'take'>) {
    this.#spare = spare;
  }

  /** The encoded rows by their day, which is counted from 1970. */
  get days(): ReadonlyMap<number, DayBlock> {
    return this.#days;
  }

  /** Appends the next records of a batch. `data`: the bytes of the batch. */
  add(rows: BatchRows, data: Uint8Array, { records, onRow }: EncodedPart): void {
    const batch: PlacedBatch = { rows, data, shared: sharedFields(rows.shared), own: undefined };
    rows.visitNext(
      {
        line: (fields, start, position) => {
          if (onRow(fields.unixMicro, position)) this.#addLine(fields, { batch, start, position });
        },
        text: (start, end, position) => {
          if (onRow(rows.shared.timeUnixMicro, position)) this.#addText(end, { batch, start, position });
        },
        row: (row, record) => {
          if (onRow(row.timeUnixMicro, row.position, row, record)) this.#addRow(row, sharedBy(row, batch));
        },
      },
      records,
    );
  }

  /** Most bytes of a line are copied as they are: its texts are parts of it. */
  #addLine(fields: AccessLogFields, { batch, start, position }: PlacedRow): void {
    const { data, shared } = batch;
    const day = this.#dayOf(fields.unixMicro);
    day.beginRow(shared);
    day.time.addInt64(fields.unixMicro);
    day.position.addInt64(position);
    day.severityNumber.addInt16(severityOfStatus(fields.status));
    day.severityText.addNull();
    day.body.addBytes(data, start, fields.end);
    addLineAttributes(day.attributes, fields, batch);
    const [client, user, method, path, version, status, size] = day.columns as LineColumns;
    client.addBytes(data, fields.clientStart, fields.clientEnd);
    if (fields.userEnd === fields.userStart) user.addNull();
    else user.addBytes(data, fields.userStart, fields.userEnd);
    method.addBytes(data, fields.methodStart, fields.methodEnd);
    path.addBytes(data, fields.pathStart, fields.pathEnd);
    version.addBytes(data, fields.versionStart, fields.versionEnd);
    status.addInt16(fields.status);
    if (fields.size < 0) size.addNull();
    else size.addInt64(fields.size);
  }

  #addText(end: number, { batch, start, position }: PlacedRow): void {
    const { timeUnixMicro, attributes } = batch.rows.shared;
    const day = this.#dayOf(timeUnixMicro);
    day.beginRow(batch.shared);
    day.time.addInt64(timeUnixMicro);
    day.position.addInt64(position);
    day.severityNumber.addNull();
    day.severityText.addNull();
    day.body.addBytes(batch.data, start, end);
    day.attributes.addNullableText(attributes);
    for (const column of day.columns) column.addNull();
  }

  #addRow(row: LogRow, shared: SharedFields): void {
    const day = this.#dayOf(row.timeUnixMicro);
    day.beginRow(shared);
    day.time.addInt64(row.timeUnixMicro);
    day.position.addInt64(row.position);
    if (row.severityNumber === null) day.severityNumber.addNull();
    else day.severityNumber.addInt16(row.severityNumber);
    day.severityText.addNullableText(row.severityText);
    day.body.addText(row.body);
    day.attributes.addNullableText(row.attributes === null ? null : jsonText(row.attributes));
    for (const [index, column] of day.columns.entries()) addValue(column, row.columns[index] ?? null, index);
  }

  #dayOf(unixMicro: number): DayBlock {
    const day = Math.floor(unixMicro / DAY_MICRO);
    if (day === this.#lastDay && this.#last !== undefined) return this.#last;
    const found = this.#days.get(day) ?? this.#spare.take();
    this.#days.set(day, found);
    this.#last = found;
    this.#lastDay = day;
    return found;
  }
}

export interface EncodedPart {
  readonly records: number;
  /** Called for every record; false: its row is not encoded. `row` and `record`: of a record that is no line. */
  readonly onRow: (timeUnixMicro: number, position: Position, row?: LogRow, record?: LogRecord) => boolean;
}

export const DAY_MICRO = 86_400_000_000;
interface PlacedBatch {
  readonly rows: BatchRows;
  readonly data: Uint8Array;
  readonly shared: SharedFields;
  /** The fields of the last record with its own host or service. */
  own: SharedFields | undefined;
}

interface PlacedRow {
  readonly batch: PlacedBatch;
  readonly start: number;
  readonly position: number;
}

type LineColumns = readonly [
  NativeColumn,
  NativeColumn,
  NativeColumn,
  NativeColumn,
  NativeColumn,
  NativeColumn,
  NativeColumn,
];

/** The length is written after the text, whose size is not known before: it takes the room of its longest form. */
function addLineAttributes(column: NativeColumn, fields: AccessLogFields, { rows, data }: PlacedBatch): void {
  const { values } = column;
  const frame = values.reserve(rows.lineAttributes.roomBytes(fields) + MAX_LENGTH_BYTES);
  const textStart = values.offset + MAX_LENGTH_BYTES;
  const textEnd = rows.lineAttributes.write(frame, textStart, data, fields);
  if (textEnd === textStart) return column.addNull();
  const start = writeLength(frame, column.addPresent().offset, textEnd - textStart);
  frame.copyWithin(start, textStart, textEnd);
  values.offset = start + textEnd - textStart;
}

function addValue(column: NativeColumn, value: string | number | null, index: number): void {
  if (value === null) column.addNull();
  else if (typeof value === 'string') column.addText(value);
  else if (ATTRIBUTE_COLUMNS[index]?.type === 'smallint') column.addInt16(value);
  else column.addInt64(value);
}

/** The shared fields of the batch, or those of a record that has its own host or service. */
function sharedBy(row: LogRow, batch: PlacedBatch): SharedFields {
  if (hasOrigin(row, batch.rows.shared)) return batch.shared;
  if (batch.own === undefined || !hasOrigin(row, batch.own)) batch.own = sharedFields(row);
  return batch.own;
}

function hasOrigin(row: LogRow, { host, service }: Pick<LogRow, 'host' | 'service'>): boolean {
  return row.host === host && row.service === service;
}
