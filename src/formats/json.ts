import { LIMITS } from '../records/limits.ts';
import type { AttributeValue, ParsedRecord, SeverityNumber } from '../records/log-record.ts';
import type { RecordContext } from '../records/record-context.ts';
import { type EarlierValues, findEarlierValues, mayHaveEqualKeys } from './find-earlier-values.ts';
import type { Format } from './format.ts';
import { EARLIER_VALUES, INVALID_UTF8, LENIENT_JSON } from './marker-attributes.ts';
import { numberToUnixNano } from './number-to-unix-nano.ts';
import { plainRecord } from './plain.ts';
import { quoteInexactNumbers } from './quote-inexact-numbers.ts';
import { type RecordText, recordText } from './record-text.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { severityOfName } from './severity.ts';
import { type Companions, severityOfLevelNumber } from './severity-of-level-number.ts';
import { parseLocalTime } from './time/parse-local-time.ts';
import { toStrictJson } from './to-strict-json.ts';

/**
 * One JSON object per record, as loggers and Docker's `json-file` write it.
 *
 * The first readable key of each list is the time, the severity and the body; all other keys become
 * attributes with unchanged values. A time as text comes before a time as number, which may be a duration.
 * docs/formats.md has the rules. A time without a zone stays an attribute unless the source has a zone; so does
 * an unknown level. If no key has a message, the body is the record itself.
 *
 * Bounded: a record that exceeds the maximum length, has more than 1,000 keys, or is nested deeper than 32,
 * is read as plain. Keys like `__proto__` are not special: attributes are a map, and nested values are never
 * merged into an object.
 */
export const json: Format = {
  name: 'json',
  description:
    'One JSON object per record; the usual keys give time, severity and message, the others attributes.',
  lines: true,
  parse: (bytes, context) => parseJson(recordText(bytes), USUAL_KEYS, context),
};

export const TIME_KEYS = [
  ...['time', 'timestamp', '@timestamp', 'ts', 'datetime', 'eventTime', 'Timestamp', '@t', 'asctime'],
] as const;
export const LEVEL_KEYS = [
  ...['level', 'severity', 'severityText', 'log.level', 'loglevel', 'lvl', 'levelname'],
  ...['LogLevel', 'Level', '@l', 'levelno', 'PRIORITY'],
] as const;
export const MESSAGE_KEYS = [
  ...['message', 'msg', 'body', 'log', 'event', 'Message', '@m', 'short_message', 'MESSAGE'],
] as const;

const MAX_KEYS = 1000;
const MAX_DEPTH = 32;

export type JsonObject = { readonly [key: string]: AttributeValue };

/** The object of a record, and the corrections that were necessary. */
interface ReadObject {
  readonly object: JsonObject;
  readonly isLenient: boolean;
  readonly earlier: EarlierValues | undefined;
}

/** The keys of time, severity and message, the preferred ones first. */
export interface JsonKeys {
  readonly time: readonly string[];
  readonly level: readonly string[];
  readonly message: readonly string[];
  /** Severities of names (in lower case) and numbers that loggers of this kind use; before the usual ones. */
  readonly levels?: ReadonlyMap<string, SeverityNumber>;
}

export const USUAL_KEYS: JsonKeys = { time: TIME_KEYS, level: LEVEL_KEYS, message: MESSAGE_KEYS };

export function parseJson(record: RecordText, keys: JsonKeys, context?: RecordContext): ParsedRecord {
  const read = objectIn(record.text);
  if (typeof read === 'string') return plainRecord(record, read);
  const attributes = new Map(Object.entries(read.object));

  // Before the time is removed: its notation identifies families of loggers.
  const level = take(
    attributes,
    keys.level,
    (value, key) => namedSeverity(value, keys) ?? severityOfValue(value, key, attributes),
  );
  const timeUnixNano =
    take(attributes, keys.time, (value) => unixNanoOfText(value, context)) ??
    take(attributes, keys.time, unixNanoOfPlainNumber);
  const body = take(attributes, keys.message, (value) => (typeof value === 'string' ? value : undefined));
  if (!record.valid) attributes.set(INVALID_UTF8, true);
  if (read.isLenient) attributes.set(LENIENT_JSON, true);
  if (read.earlier !== undefined) attributes.set(EARLIER_VALUES, read.earlier);
  return {
    timeUnixNano,
    severityNumber: level?.severityNumber,
    severityText: level?.severityText,
    body: body ?? record.text,
    attributes,
  };
}

/** The object in a text, or the reason why there is none. */
export function objectIn(text: string): ReadObject | string {
  if (text.length > LIMITS.recordBytes) return 'longer than a record may be';
  const strict = valueIn(text);
  const json = strict === undefined ? toStrictJson(text) : text;
  const value = strict ?? (json === undefined ? undefined : valueIn(json));
  if (value === undefined || json === undefined) return 'not valid JSON';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  if (Object.keys(value).length > MAX_KEYS) return `a JSON object of more than ${MAX_KEYS} keys`;
  const keyCount = countKeys(value, MAX_DEPTH);
  if (keyCount === undefined) return `JSON nested deeper than ${MAX_DEPTH}`;
  const earlier = mayHaveEqualKeys(json, keyCount) ? findEarlierValues(quoteInexactNumbers(json)) : undefined;
  return { object: value as JsonObject, isLenient: json !== text, earlier };
}

/** undefined: not valid JSON. */
function valueIn(text: string): AttributeValue | undefined {
  try {
    const value = JSON.parse(text) as AttributeValue;
    const exact = quoteInexactNumbers(text);
    return exact === text ? value : (JSON.parse(exact) as AttributeValue);
  } catch {
    return undefined;
  }
}

/** The total number of keys of the objects in a value; undefined: it is nested too deeply. */
function countKeys(value: AttributeValue, depth: number): number | undefined {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth === 0) return undefined;
  const values: readonly AttributeValue[] = Object.values(value);
  let count = Array.isArray(value) ? 0 : values.length;
  for (const each of values) {
    const inner = countKeys(each, depth - 1);
    if (inner === undefined) return undefined;
    count += inner;
  }
  return count;
}

/** The result of `read` for the first of `keys` that it can read; that key is no longer an attribute. */
function take<T>(
  attributes: Map<string, AttributeValue>,
  keys: readonly string[],
  read: (value: AttributeValue, key: string) => T | undefined,
): T | undefined {
  for (const key of keys) {
    const value = attributes.get(key);
    const meaning = value === undefined ? undefined : read(value, key);
    if (meaning === undefined) continue;
    attributes.delete(key);
    return meaning;
  }
  return undefined;
}

function unixNanoOfText(value: AttributeValue, context: RecordContext | undefined): bigint | undefined {
  if (typeof value !== 'string') return undefined;
  return parseRfc3339(value) ?? parseLocalTime(value, context);
}

function namedSeverity(
  value: AttributeValue,
  { levels }: JsonKeys,
): Pick<ParsedRecord, 'severityNumber' | 'severityText'> | undefined {
  if (levels === undefined || (typeof value !== 'string' && typeof value !== 'number')) return undefined;
  const severityNumber = levels.get(String(value).trim().toLowerCase());
  return severityNumber === undefined ? undefined : { severityNumber, severityText: String(value) };
}

/** A smaller number is a duration or a counter: no log of this kind is from before 2001-09-09. */
const LEAST_UNIX_NANO = 1_000_000_000_000_000_000n;

function unixNanoOfPlainNumber(value: AttributeValue): bigint | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const unixNano = numberToUnixNano(String(value));
  return unixNano !== undefined && unixNano >= LEAST_UNIX_NANO ? unixNano : undefined;
}

function severityOfValue(
  level: AttributeValue,
  key: string,
  companions: Companions,
): Pick<ParsedRecord, 'severityNumber' | 'severityText'> | undefined {
  if (typeof level !== 'string' && typeof level !== 'number') return undefined;
  const severityNumber =
    (typeof level === 'string' ? severityOfName(level) : undefined) ??
    (/^\d{1,2}$/.test(String(level).trim())
      ? severityOfLevelNumber(Number(level), key, companions)
      : undefined);
  return severityNumber === undefined ? undefined : { severityNumber, severityText: String(level) };
}
