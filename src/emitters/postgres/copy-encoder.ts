import { forEachLogRecord } from '../../formats/record-view.ts';
import { ATTRIBUTE_COLUMNS } from '../../logstore/log-columns.ts';
import { type LogRow, logRow, type RowOrigin } from '../../logstore/log-row.ts';
import type { RecordBatch } from '../../records/record-batch.ts';

export class CopyEncoder {
  #frames: Buffer[] = [];
  #frame = newFrame(FRAME_BYTES);
  #offset = FRAME_HEADER_BYTES;
  readonly #onRow: (row: LogRow) => void;

  /** `onRow` is called for every encoded row. */
  constructor(onRow: (row: LogRow) => void) {
    this.#onRow = onRow;
    this.#offset += SIGNATURE.copy(this.#frame, this.#offset);
  }

  /** Appends the records of a batch. */
  add(batch: RecordBatch, origin: RowOrigin): void {
    let shared: SharedFields | undefined;
    forEachLogRecord(batch, (record) => {
      const row = logRow(record, origin);
      if (shared?.host !== row.host || shared.service !== row.service) shared = sharedFields(row);
      this.#writeRow(row, shared.bytes);
      this.#onRow(row);
    });
  }

  /** Returns the full frames. */
  takeFull(): readonly Uint8Array[] {
    const full = this.#frames;
    this.#frames = [];
    return full;
  }

  /** Returns the remaining frames; nothing may be added afterwards. */
  end(): readonly Uint8Array[] {
    this.#reserve(TRAILER.length);
    this.#offset += TRAILER.copy(this.#frame, this.#offset);
    this.#closeFrame();
    return this.takeFull();
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
    this.#frame = newFrame(Math.max(FRAME_BYTES, needed));
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
const NULL = 0xff_ff_ff_ff;
/** PostgreSQL times count from 2000. */
const UNIX_MICRO_OF_2000 = Date.UTC(2000, 0, 1) * 1000;
const TWO_32 = 2 ** 32;
/** UTF-8 needs at most three bytes for a UTF-16 unit. */
const MAX_UNIT_BYTES = 3;
/** Size of a row without its texts: field lengths and numbers, with a margin. */
const ROW_BYTES = 256;

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

function writeNull(bytes: Buffer, offset: number): number {
  return bytes.writeUInt32BE(NULL, offset);
}

function writeSmallint(bytes: Buffer, offset: number, value: number): number {
  return bytes.writeInt16BE(value, bytes.writeUInt32BE(2, offset));
}

/** Writes two halves: a BigInt per number would cost more than the rest of the row. */
function writeBigint(bytes: Buffer, offset: number, value: number): number {
  const high = Math.floor(value / TWO_32);
  const at = bytes.writeInt32BE(high, bytes.writeUInt32BE(8, offset));
  return bytes.writeUInt32BE(value - high * TWO_32, at);
}

function writeTime(bytes: Buffer, offset: number, unixMicro: number): number {
  return writeBigint(bytes, offset, unixMicro - UNIX_MICRO_OF_2000);
}

function writeText(bytes: Buffer, offset: number, text: string | null): number {
  if (text === null) return writeNull(bytes, offset);
  const length = bytes.write(text, offset + 4);
  bytes.writeUInt32BE(length, offset);
  return offset + 4 + length;
}

/** The jsonb format: a version byte before the text. */
function writeJsonb(bytes: Buffer, offset: number, text: string | null): number {
  if (text === null) return writeNull(bytes, offset);
  bytes[offset + 4] = 1;
  const length = bytes.write(text, offset + 5) + 1;
  bytes.writeUInt32BE(length, offset);
  return offset + 4 + length;
}
