import type { AccessLogFields } from '../../formats/access-log-fields.ts';
import { severityOfStatus } from '../../formats/combined.ts';
import type { BatchRows } from '../../logstore/batch-rows.ts';
import { copyBytes } from '../../logstore/line-attributes.ts';
import { ATTRIBUTE_COLUMNS } from '../../logstore/log-columns.ts';
import type { LogRow } from '../../logstore/log-row.ts';
import {
  JSONB_VERSION,
  LENGTH_BYTES,
  writeBigint,
  writeBytes,
  writeInt32,
  writeJsonb,
  writeNull,
  writeSmallint,
  writeText,
  writeTime,
} from './copy-fields.ts';

export class CopyEncoder {
  #frames: Buffer[] = [];
  /** Sent frames, which are filled again. */
  readonly #free: Buffer[] = [];
  #frame = newFrame(FRAME_BYTES);
  #offset = FRAME_HEADER_BYTES;
  readonly #onRow: (timeUnixMicro: number) => void;

  /** `onRow` is called with the time of every encoded row. */
  constructor(onRow: (timeUnixMicro: number) => void) {
    this.#onRow = onRow;
    this.#offset += SIGNATURE.copy(this.#frame, this.#offset);
  }

  /** Appends the next records of a batch. `data`: the bytes of the batch. */
  add(rows: BatchRows, data: Uint8Array, records: number): void {
    const batch: PlacedBatch = { rows, data, shared: sharedFields(rows.shared).bytes, own: undefined };
    rows.visitNext(
      {
        line: (fields, start, position) => {
          this.#writeLine(fields, { batch, start, position });
          this.#onRow(fields.unixMicro);
        },
        text: (start, end, position) => {
          this.#writeText(end, { batch, start, position });
          this.#onRow(rows.shared.timeUnixMicro);
        },
        row: (row) => {
          this.#writeRow(row, sharedBy(row, batch));
          this.#onRow(row.timeUnixMicro);
        },
      },
      records,
    );
  }

  /** Returns the full frames. */
  takeFull(): readonly Uint8Array[] {
    const full = this.#frames;
    this.#frames = [];
    return full;
  }

  /** Accepts a frame of `takeFull` whose bytes are no longer needed. */
  reuse({ buffer, byteOffset }: Uint8Array): void {
    if (byteOffset === 0 && buffer.byteLength === FRAME_BYTES) this.#free.push(Buffer.from(buffer));
  }

  /** Returns the remaining frames; nothing may be added afterwards. */
  end(): readonly Uint8Array[] {
    this.#reserve(TRAILER.length);
    this.#offset += TRAILER.copy(this.#frame, this.#offset);
    this.#closeFrame();
    return this.takeFull();
  }

  /** Most bytes of a line are copied as they are: its texts are parts of it. */
  #writeLine(fields: AccessLogFields, { batch, start, position }: PlacedRow): void {
    const { data, shared, rows } = batch;
    const lineBytes = fields.end - start;
    this.#reserve(shared.length + ROW_BYTES + 2 * lineBytes + rows.lineAttributes.roomBytes(fields));
    const frame = this.#frame;
    let at = copyBytes(frame, this.#offset, shared, 0, shared.length);
    at = writeTime(frame, at, fields.unixMicro);
    at = writeBigint(frame, at, position);
    at = writeSmallint(frame, at, severityOfStatus(fields.status));
    at = writeNull(frame, at);
    at = writeBytes(frame, at, data, start, fields.end);
    at = this.#writeLineAttributes(at, fields, batch);
    at = writeBytes(frame, at, data, fields.clientStart, fields.clientEnd);
    at =
      fields.userEnd === fields.userStart
        ? writeNull(frame, at)
        : writeBytes(frame, at, data, fields.userStart, fields.userEnd);
    at = writeBytes(frame, at, data, fields.methodStart, fields.methodEnd);
    at = writeBytes(frame, at, data, fields.pathStart, fields.pathEnd);
    at = writeBytes(frame, at, data, fields.versionStart, fields.versionEnd);
    at = writeSmallint(frame, at, fields.status);
    this.#offset = fields.size < 0 ? writeNull(frame, at) : writeBigint(frame, at, fields.size);
  }

  /** The jsonb format: a version byte before the text. */
  #writeLineAttributes(at: number, fields: AccessLogFields, { rows, data }: PlacedBatch): number {
    const frame = this.#frame;
    const textStart = at + LENGTH_BYTES + 1;
    const end = rows.lineAttributes.write(frame, textStart, data, fields);
    if (end === textStart) return writeNull(frame, at);
    writeInt32(frame, at, end - textStart + 1);
    frame[textStart - 1] = JSONB_VERSION;
    return end;
  }

  #writeText(end: number, { batch, start, position }: PlacedRow): void {
    const { data, shared, rows } = batch;
    const { timeUnixMicro, attributes } = rows.shared;
    this.#reserve(shared.length + ROW_BYTES + end - start + (attributes?.length ?? 0) * MAX_UNIT_BYTES);
    const frame = this.#frame;
    let at = copyBytes(frame, this.#offset, shared, 0, shared.length);
    at = writeTime(frame, at, timeUnixMicro);
    at = writeBigint(frame, at, position);
    at = writeNull(frame, writeNull(frame, at));
    at = writeBytes(frame, at, data, start, end);
    at = writeJsonb(frame, at, attributes);
    for (let index = 0; index < ATTRIBUTE_COLUMNS.length; index++) at = writeNull(frame, at);
    this.#offset = at;
  }

  #writeRow(row: LogRow, shared: Uint8Array): void {
    this.#reserve(shared.length + ROW_BYTES + textUnits(row) * MAX_UNIT_BYTES);
    const frame = this.#frame;
    frame.set(shared, this.#offset);
    let offset = this.#offset + shared.length;
    offset = writeTime(frame, offset, row.timeUnixMicro);
    offset = writeBigint(frame, offset, row.position);
    offset =
      row.severityNumber === null
        ? writeNull(frame, offset)
        : writeSmallint(frame, offset, row.severityNumber);
    offset = writeText(frame, offset, row.severityText);
    offset = writeText(frame, offset, row.body);
    offset = writeJsonb(frame, offset, row.attributes);
    for (let index = 0; index < ATTRIBUTE_COLUMNS.length; index++) {
      const value = row.columns[index];
      if (value === null || value === undefined) offset = writeNull(frame, offset);
      else if (typeof value === 'string') offset = writeText(frame, offset, value);
      else if (ATTRIBUTE_COLUMNS[index]?.type === 'smallint') offset = writeSmallint(frame, offset, value);
      else offset = writeBigint(frame, offset, value);
    }
    this.#offset = offset;
  }

  #reserve(sizeBytes: number): void {
    if (this.#offset + sizeBytes <= this.#frame.length) return;
    this.#closeFrame();
    const needed = FRAME_HEADER_BYTES + sizeBytes;
    this.#frame =
      (needed <= FRAME_BYTES ? this.#free.pop() : undefined) ?? newFrame(Math.max(FRAME_BYTES, needed));
  }

  #closeFrame(): void {
    if (this.#offset > FRAME_HEADER_BYTES) {
      // The length includes itself, but not the letter before it.
      this.#frame.writeUInt32BE(this.#offset - 1, 1);
      this.#frames.push(this.#frame.subarray(0, this.#offset));
    }
    this.#offset = FRAME_HEADER_BYTES;
  }
}

/**
 * Encodes rows in PostgreSQL's binary COPY format (manual, "COPY", "Binary Format") as CopyData messages of
 * about 256 KiB:
 *
 *     'd' length | [signature, once] row row row ... [-1, once]
 *     row = int16 number of fields, then for each: int32 length (-1: null), bytes
 *
 * The binary format needs no escaping, and the server does not have to parse numbers and times. The columns
 * that records of a slice usually share come first, and are encoded once for each run of equal values.
 */
export const COPY_COLUMNS: readonly string[] = [
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

const FRAME_BYTES = 256 * 1024;
/** The letter 'd' and the length. */
const FRAME_HEADER_BYTES = 5;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER = Buffer.of(0xff, 0xff);
/** UTF-8 needs at most three bytes for a UTF-16 unit. */
const MAX_UNIT_BYTES = 3;
/** Size of a row without its texts: field lengths and numbers, with a margin. */
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

function newFrame(sizeBytes: number): Buffer {
  const frame = Buffer.allocUnsafeSlow(sizeBytes);
  frame[0] = 0x64;
  return frame;
}

/** The number of fields, and the fields that are equal for all records of a batch with this host and service. */
interface SharedFields extends Pick<LogRow, 'host' | 'service'> {
  readonly bytes: Uint8Array;
}

function sharedFields(row: LogRow): SharedFields {
  const texts = [row.host, row.service, row.source, row.format];
  const units = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
  const bytes = Buffer.allocUnsafe(ROW_BYTES + units * MAX_UNIT_BYTES);
  let offset = bytes.writeUInt16BE(COPY_COLUMNS.length, 0);
  offset = writeTime(bytes, offset, row.observedTimeUnixMicro);
  for (const text of texts) offset = writeText(bytes, offset, text);
  const stream = Buffer.from(row.stream, 'hex');
  offset = bytes.writeUInt32BE(stream.length, offset);
  offset += stream.copy(bytes, offset);
  return { host: row.host, service: row.service, bytes: bytes.subarray(0, offset) };
}

function textUnits(row: LogRow): number {
  let units = row.body.length + (row.attributes?.length ?? 0) + (row.severityText?.length ?? 0);
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
