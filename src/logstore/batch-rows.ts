import { isUtf8 } from 'node:buffer';
import { AccessLogFields } from '../formats/access-log-fields.ts';
import { ENCODING, OBSERVED_TIME, TIME_SOURCE } from '../formats/marker-attributes.ts';
import { withoutLineEnding } from '../formats/record-text.ts';
import { forEachLogRecord, shownResource } from '../formats/record-view.ts';
import { changedInOrder } from '../records/changed-records.ts';
import type { LogRecord } from '../records/log-record.ts';
import type { Position } from '../records/position.ts';
import { type RecordBatch, sliceRecords } from '../records/record-batch.ts';
import { LINE_ATTRIBUTES, LineAttributes } from './line-attributes.ts';
import { type LogRow, logRow, MAX_UNIX_MICRO, NUL_REPLACED, type RowOrigin, rowOrigin } from './log-row.ts';

/**
 * The rows of a batch, in order, for a back end that writes them.
 *
 * Most lines of the formats `combined` and `plain` are visited as places in the bytes of the batch: no text,
 * no map and no row is created for them. Every other record is visited as a row.
 */
export class BatchRows {
  /** The values that the lines and texts of this batch share, and their attributes from the resource. */
  readonly shared: LogRow;
  readonly origin: RowOrigin;
  readonly lineAttributes: LineAttributes;
  readonly #batch: RecordBatch;
  readonly #place: 'line' | 'text' | undefined;
  readonly #fields = new AccessLogFields();
  #index = 0;
  #offset = 0;

  constructor(batch: RecordBatch) {
    this.#batch = batch;
    this.origin = rowOrigin(batch.resource);
    this.shared = logRow(emptyRecord(batch), this.origin);
    this.lineAttributes = new LineAttributes(this.shared.attributes);
    this.#place = isCopyable(batch, this.origin, this.shared) ? placeOf(batch) : undefined;
  }

  get isAtEnd(): boolean {
    return this.#index >= this.#batch.sizes.length;
  }

  /** Visits the next records; default: all remaining ones. */
  visitNext(visitor: RowVisitor, records = Number.POSITIVE_INFINITY): void {
    const { sizes, data } = this.#batch;
    const end = Math.min(sizes.length, this.#index + records);
    if (this.#place === undefined) {
      this.#visitRows(visitor, end);
      return;
    }
    const changedAt = changedInOrder(this.#batch);
    let last = this.#index;
    let lastOffset = this.#offset;
    while (last < end) {
      const next = lastOffset + (sizes[last] as number);
      const isPlaced = changedAt(last) === undefined && this.#isPlaced(data, lastOffset, next);
      if (isPlaced && this.#index < last) this.#visitRows(visitor, last);
      last++;
      if (isPlaced) {
        this.#visitPlace(visitor, lastOffset, next);
        this.#index = last;
        this.#offset = next;
      }
      lastOffset = next;
    }
    if (this.#index < end) this.#visitRows(visitor, end);
  }

  #isPlaced(data: Uint8Array, start: number, end: number): boolean {
    if (this.#place === 'text')
      return data[start] !== BYTE_ORDER_MARK && isBoundary(data, start) && isBoundary(data, end);
    const fields = this.#fields;
    return fields.read(data, start, end) && fields.unixMicro >= 0 && fields.unixMicro < MAX_UNIX_MICRO;
  }

  #visitPlace(visitor: RowVisitor, start: number, end: number): void {
    const { data, start: batchStart } = this.#batch;
    if (this.#place === 'line') visitor.line(this.#fields, start, batchStart + start);
    else visitor.text(start, start + withoutLineEnding(data.subarray(start, end)).length, batchStart + start);
  }

  /** Visits the records up to `end` as rows. */
  #visitRows(visitor: RowVisitor, end: number): void {
    const slice = sliceRecords(this.#batch, this.#index, end, this.#offset);
    forEachLogRecord(slice, (record) => visitor.row(logRow(record, this.#originOf(record)), record));
    this.#index = end;
    this.#offset += slice.data.length;
  }

  /** A filter may have changed the resource of a record. */
  #originOf({ resource }: LogRecord): RowOrigin {
    if (this.#batch.changed === undefined || resource === shownResource(this.#batch.resource))
      return this.origin;
    return rowOrigin(resource);
  }
}

export interface RowVisitor {
  /** A line of an access log. `fields`: offsets in the bytes of the batch, valid during this call. */
  line(fields: AccessLogFields, start: number, position: Position): void;
  /** A record whose body is `[start, end)` of the bytes of the batch, without attributes of its own. */
  text(start: number, end: number, position: Position): void;
  row(row: LogRow, record: LogRecord): void;
}

/** The first byte of a UTF-8 byte order mark. */
const BYTE_ORDER_MARK = 0xef;
const NUL = 0;

/** Whether no character of valid UTF-8 continues at this offset. */
function isBoundary(data: Uint8Array, offset: number): boolean {
  return offset === data.length || ((data[offset] as number) & 0xc0) !== 0x80;
}

function emptyRecord(batch: RecordBatch): LogRecord {
  const { observedTimeUnixNano, resource, format, stream, start } = batch;
  return { body: '', attributes: new Map(), observedTimeUnixNano, resource, format, stream, position: start };
}

/** Whether a record of the batch has only its own values and those of `shared`. */
function isCopyable(batch: RecordBatch, origin: RowOrigin, shared: LogRow): boolean {
  if (batch.marks.length > 0 || batch.recordPeers !== undefined) return false;
  if (batch.resource.get(TIME_SOURCE) === OBSERVED_TIME || batch.resource.has(ENCODING)) return false;
  if (origin.columns.some((value) => value !== null)) return false;
  return shared.attributes?.includes(NUL_REPLACED) !== true;
}

function placeOf({ format, data, resource }: RecordBatch): 'line' | 'text' | undefined {
  if (format === 'combined') return LINE_ATTRIBUTES.some((name) => resource.has(name)) ? undefined : 'line';
  return format === 'plain' && isUtf8(data) && !data.includes(NUL) ? 'text' : undefined;
}
