import { LIMITS } from '../records/limits.ts';
import type { AttributeValue, ParsedRecord } from '../records/log-record.ts';
import type { Format } from './format.ts';
import { quoteInexactNumbers } from './json-numbers.ts';
import { INVALID_UTF8 } from './marker-attributes.ts';
import { plainRecord } from './plain.ts';
import { type RecordText, recordText } from './record-text.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { severityOfLevel } from './severity.ts';
import { unixNanoOfNumber } from './unix-time.ts';

/**
 * One JSON object per record, as loggers and Docker's `json-file` write it.
 *
 * The first key of each list that can be read gives time, severity and body; all others become attributes, values as
 * they are. A time without zone is no moment and stays an attribute; so does a level that means nothing known. Where no
 * key holds a message, the body is the record itself.
 *
 * Bounded: a record longer than a record may be, with more than 1,000 keys, or nested deeper than 32, is read as plain.
 * Keys like `__proto__` mean nothing: attributes are a map, and what lies below is never merged into anything.
 */
export const json: Format = {
  name: 'json',
  description:
    'One JSON object per record; the usual keys give time, severity and message, the others attributes.',
  lines: true,
  parse: (bytes) => parseJson(recordText(bytes)),
};

export const TIME_KEYS = ['time', 'timestamp', '@timestamp', 'ts', 'datetime', 'eventTime'] as const;
export const LEVEL_KEYS = [
  'level',
  'severity',
  'severityText',
  'log.level',
  'loglevel',
  'lvl',
  'levelname',
] as const;
export const MESSAGE_KEYS = ['message', 'msg', 'body', 'log', 'event'] as const;

const MAX_KEYS = 1000;
const MAX_DEPTH = 32;

type JsonObject = { readonly [key: string]: AttributeValue };

function parseJson(record: RecordText): ParsedRecord {
  const object = objectIn(record.text);
  if (typeof object === 'string') return plainRecord(record, object);
  const attributes = new Map(Object.entries(object));

  const timeUnixNano = take(attributes, TIME_KEYS, unixNanoOfValue);
  const level = take(attributes, LEVEL_KEYS, severityOfValue);
  const body = take(attributes, MESSAGE_KEYS, (value) => (typeof value === 'string' ? value : undefined));
  if (!record.valid) attributes.set(INVALID_UTF8, true);
  return {
    timeUnixNano,
    severityNumber: level?.severityNumber,
    severityText: level?.severityText,
    body: body ?? record.text,
    attributes,
  };
}

/** The object in a text; or why there is none. */
function objectIn(text: string): JsonObject | string {
  if (text.length > LIMITS.recordBytes) return 'longer than a record may be';
  let value: AttributeValue;
  try {
    value = JSON.parse(text) as AttributeValue;
    const exact = quoteInexactNumbers(text);
    if (exact !== text) value = JSON.parse(exact) as AttributeValue;
  } catch {
    return 'not valid JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  if (Object.keys(value).length > MAX_KEYS) return `a JSON object of more than ${MAX_KEYS} keys`;
  if (!isWithinDepth(value, MAX_DEPTH)) return `JSON nested deeper than ${MAX_DEPTH}`;
  return value as JsonObject;
}

function isWithinDepth(value: AttributeValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((each: AttributeValue) => isWithinDepth(each, depth - 1));
}

/** What `read` makes of the first of `keys` that it can read; that key is then no attribute any more. */
function take<T>(
  attributes: Map<string, AttributeValue>,
  keys: readonly string[],
  read: (value: AttributeValue) => T | undefined,
): T | undefined {
  for (const key of keys) {
    const value = attributes.get(key);
    const meaning = value === undefined ? undefined : read(value);
    if (meaning === undefined) continue;
    attributes.delete(key);
    return meaning;
  }
  return undefined;
}

function unixNanoOfValue(value: AttributeValue): bigint | undefined {
  if (typeof value === 'number') return unixNanoOfNumber(String(value));
  if (typeof value === 'string') return parseRfc3339(value) ?? unixNanoOfNumber(value);
  return undefined;
}

function severityOfValue(
  level: AttributeValue,
): Pick<ParsedRecord, 'severityNumber' | 'severityText'> | undefined {
  if (typeof level !== 'string' && typeof level !== 'number') return undefined;
  const severityNumber = severityOfLevel(level);
  return severityNumber === undefined ? undefined : { severityNumber, severityText: String(level) };
}
