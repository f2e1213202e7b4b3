import type { LogRecord, ParsedRecord } from '../records/log-record.ts';
import type { Position } from '../records/position.ts';
import { forEachRecord, offsetOfRecord, type RecordBatch, type RecordMark } from '../records/record-batch.ts';
import { RECORD_MARK } from './marker-attributes.ts';
import { formatNamed } from './registry.ts';

/** Record `index` of a batch, in full. For one record; walking a batch, `forEachLogRecord` finds each at once. */
export function recordView(batch: RecordBatch, index: number): LogRecord {
  const start = offsetOfRecord(batch, index);
  const end = offsetOfRecord(batch, index + 1, index, start);
  const parsed = formatNamed(batch.format).parse(batch.data.subarray(start, end), batch.resource);
  const mark = batch.marks.find((marked) => marked.index === index)?.mark;
  return logRecord(batch, batch.start + start, markedRecord(parsed, mark));
}

/** Calls `visit` with each record of a batch, in full, in order. */
export function forEachLogRecord(
  batch: RecordBatch,
  visit: (record: LogRecord, index: number) => void,
): void {
  const format = formatNamed(batch.format);
  let nextMark = 0;
  forEachRecord(batch, (bytes, index, position) => {
    const marked = batch.marks[nextMark];
    if (marked?.index === index) nextMark++;
    const mark = marked?.index === index ? marked.mark : undefined;
    visit(logRecord(batch, position, markedRecord(format.parse(bytes, batch.resource), mark)), index);
  });
}

function markedRecord(parsed: ParsedRecord, mark: RecordMark | undefined): ParsedRecord {
  return mark === undefined
    ? parsed
    : { ...parsed, attributes: new Map(parsed.attributes).set(RECORD_MARK, mark) };
}

function logRecord(batch: RecordBatch, position: Position, parsed: ParsedRecord): LogRecord {
  const { observedTimeUnixNano, resource, format, stream } = batch;
  return { ...parsed, observedTimeUnixNano, resource, format, stream, position };
}
