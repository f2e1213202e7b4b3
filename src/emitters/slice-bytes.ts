import { inUtf8 } from '../formats/encodings/batch-encoding.ts';
import { forEachLogRecord } from '../formats/record-view.ts';
import { formatNamed } from '../formats/registry.ts';
import type { LogRecord } from '../records/log-record.ts';
import { offsetOfRecord, type RecordBatch, sliceRecords } from '../records/record-batch.ts';
import { jsonRecord } from './json-record.ts';

const LF = 0x0a;
const LINE_END = Uint8Array.of(LF);

/**
 * Converts a slice to text with one or more lines per record, as buffers to write in order. They may share
 * memory with the slice.
 *
 * The `body` of a text record is its own bytes, without parsing, so tailed files are reproduced exactly. A
 * record without a line ending gets one, so that lines are never joined; this affects only marked records and
 * the last one. A body that a filter has set replaces the bytes of its record. Records in another encoding are
 * written in UTF-8.
 */
export function sliceBytes(slice: RecordBatch, format: TextFormat): readonly Uint8Array[] {
  if (format === 'json') return [joined(slice, jsonRecord)];
  if (!formatNamed(slice.format).lines) return [joined(slice, ({ body }) => body)];
  return runsOfBytes(inUtf8(slice)).flatMap((run) =>
    typeof run === 'string' ? [Buffer.from(run), LINE_END] : ownBytes(run),
  );
}

export type TextFormat = 'body' | 'json';

/** The bodies that a filter has set, and the runs of records between them, in order. */
export function runsOfBytes(slice: RecordBatch): readonly (RecordBatch | string)[] {
  const changed = slice.changed?.filter(({ hasOwnBody }) => hasOwnBody) ?? [];
  if (changed.length === 0) return [slice];
  const runs: (RecordBatch | string)[] = [];
  let from = 0;
  let offset = 0;
  for (const { index, record } of changed) {
    if (index > from) runs.push(sliceRecords(slice, from, index, offset));
    offset = offsetOfRecord(slice, index + 1, from, offset);
    from = index + 1;
    runs.push(record.body);
  }
  if (from < slice.sizes.length) runs.push(sliceRecords(slice, from, slice.sizes.length, offset));
  return runs;
}

function ownBytes(slice: RecordBatch): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let index = 0;
  let start = 0;
  let offset = 0;
  for (const mark of slice.marks) {
    offset = offsetOfRecord(slice, mark.index + 1, index, offset);
    index = mark.index + 1;
    if (slice.data[offset - 1] === LF) continue;
    parts.push(slice.data.subarray(start, offset), LINE_END);
    start = offset;
  }
  if (start < slice.data.length) parts.push(slice.data.subarray(start));
  if (parts.at(-1)?.at(-1) !== LF) parts.push(LINE_END);
  return parts;
}

function joined(slice: RecordBatch, line: (record: LogRecord) => string): Uint8Array {
  const lines: string[] = [];
  forEachLogRecord(slice, (record) => lines.push(line(record), '\n'));
  return Buffer.from(lines.join(''));
}
