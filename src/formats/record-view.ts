import type { LogRecord, ParsedRecord } from '../records/log-record.ts';
import type { Position } from '../records/position.ts';
import { forEachRecord, offsetOfRecord, type RecordBatch, type RecordMark } from '../records/record-batch.ts';
import { OBSERVED_TIME, RECORD_MARK, TIME_SOURCE } from './marker-attributes.ts';
import { formatNamed } from './registry.ts';

/** Returns the complete record `index` of a batch. To read all records, `forEachLogRecord` is faster. */
export function recordView(batch: RecordBatch, index: number): LogRecord {
  const start = offsetOfRecord(batch, index);
  const end = offsetOfRecord(batch, index + 1, index, start);
  const parsed = formatNamed(batch.format).parse(batch.data.subarray(start, end), batch);
  const mark = batch.marks.find((marked) => marked.index === index)?.mark;
  return logRecord(batch, { position: batch.start + start, parsed, mark });
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
    const parsed = format.parse(bytes, batch);
    visit(logRecord(batch, { position, parsed, mark }), index);
  });
}

interface Parsed {
  readonly position: Position;
  readonly parsed: ParsedRecord;
  readonly mark: RecordMark | undefined;
}

/** Field by field: spreading the parsed object into a new one takes longer than parsing it. */
function logRecord(batch: RecordBatch, { position, parsed, mark }: Parsed): LogRecord {
  const isTimedByObservation = batch.resource.get(TIME_SOURCE) === OBSERVED_TIME;
  return {
    timeUnixNano: isTimedByObservation ? batch.observedTimeUnixNano : parsed.timeUnixNano,
    severityNumber: parsed.severityNumber,
    severityText: parsed.severityText,
    body: parsed.body,
    attributes: mark === undefined ? parsed.attributes : new Map(parsed.attributes).set(RECORD_MARK, mark),
    observedTimeUnixNano: batch.observedTimeUnixNano,
    resource: batch.resource,
    format: batch.format,
    stream: batch.stream,
    position,
  };
}
