import {
  EARLIER_VALUES,
  ENCODING_GUESSED,
  IMPOSSIBLE_TIME,
  INVALID_UTF8,
  LENIENT_JSON,
  PARSE_ERROR,
  RECORD_MARK,
  TIME_RAW,
  UNPARSED,
} from '../../formats/marker-attributes.ts';
import { NUL_REPLACED } from '../../logstore/log-row.ts';
import type { LogEntry } from '../../logstore/logs/log-requests.ts';

/** Sentences for people: why a record is parsed so. `filters`: the names of the filters in use. */
export function explainRecord(entry: LogEntry, filters: readonly string[]): string[] {
  return [formatSentence(entry), timeSentence(entry), ...markers(entry), ...filterSentences(filters)];
}

function formatSentence({ format, source }: LogEntry): string {
  const place = source === null ? 'its source' : source;
  return `The format is ${format}: the configuration of the collector chose it for ${place}, or the collector chose it by the kind of its source.`;
}

function timeSentence({ time, observedTime }: LogEntry): string {
  return time === observedTime
    ? 'The time is that at which the collector read the record: the record has none, or it is not used.'
    : 'The time is that in the record.';
}

function markers({ attributes }: LogEntry): readonly string[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    const explain = MARKERS.get(name);
    return explain === undefined ? [] : [`${name}: ${explain(textOf(value))}`];
  });
}

const MARKERS: ReadonlyMap<string, (value: string) => string> = new Map<string, (value: string) => string>([
  [
    PARSE_ERROR,
    (value) => `the record is not in its format (${value}), so its body is the record as received.`,
  ],
  [INVALID_UTF8, () => 'some bytes are not UTF-8; U+FFFD replaces them.'],
  [RECORD_MARK, (value) => MARKS.get(value) ?? `the record is incomplete (${value}).`],
  [
    ENCODING_GUESSED,
    (value) => `the record is not UTF-8 and does not name its encoding, so it was read as ${value}.`,
  ],
  [UNPARSED, () => 'the rest of the record after the part that the format knows.'],
  [
    IMPOSSIBLE_TIME,
    () => 'the time in the record is before 1970 or after 2199, so the store has the time of reading.',
  ],
  [TIME_RAW, () => 'the time in the record cannot be parsed; this is its text.'],
  [LENIENT_JSON, () => 'the record is not strict JSON, and was read all the same.'],
  [EARLIER_VALUES, () => 'the JSON object has equal keys; these are the earlier values.'],
  [NUL_REPLACED, () => 'a store cannot hold U+0000; U+FFFD replaces it.'],
  ['megacollector.repeated', () => 'the client sent the record again after a broken connection.'],
  ['megacollector.truncated_from', (value) => `the message had ${value} bytes; its beginning was kept.`],
  ['megacollector.request_raw', () => 'the request line is invalid; this is its text.'],
  ['megacollector.read_as_latin1', () => 'a text of the record is not UTF-8 and was read as Latin-1.'],
]);

const MARKS: ReadonlyMap<string, string> = new Map([
  ['cut', 'the record is longer than the limit; its rest follows as separate records.'],
  ['unterminated', 'the record was sent before its line ended.'],
]);

function filterSentences(filters: readonly string[]): readonly string[] {
  if (filters.length === 0) return ['No emitter has a filter: the record is as its format reads it.'];
  const names = filters.join(', ');
  return [
    `A filter may have changed the record on the way to the store: ${names}. Try it with POST /v1/filters/try to see the lines that run.`,
  ];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
