import { LIMITS } from '../records/limits.ts';
import type { AttributeValue, ParsedRecord } from '../records/log-record.ts';
import type { RecordContext } from '../records/record-context.ts';
import { type EarlierValues, findEarlierValues, mayHaveEqualKeys } from './find-earlier-values.ts';
import type { Format } from './format.ts';
import { jsonKeysOf } from './json-options.ts';
import { EARLIER_VALUES, FORMAT_OPTIONS, INVALID_UTF8, LENIENT_JSON } from './marker-attributes.ts';
import { plainRecord } from './plain.ts';
import { quoteInexactNumbers } from './quote-inexact-numbers.ts';
import { type RecordText, recordText } from './record-text.ts';
import { type FieldKeys, takeFields } from './take-fields.ts';
import { toStrictJson } from './to-strict-json.ts';

/**
 * One JSON object per record, as loggers write it.
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
  parse: (bytes, context) =>
    parseJson(recordText(bytes), jsonKeysOf(context?.resource.get(FORMAT_OPTIONS)), context),
};

const MAX_KEYS = 1000;
const MAX_DEPTH = 32;

export type JsonObject = { readonly [key: string]: AttributeValue };

/** The object of a record, and the corrections that were necessary. */
interface ReadObject {
  readonly object: JsonObject;
  readonly isLenient: boolean;
  readonly earlier: EarlierValues | undefined;
}

export function parseJson(record: RecordText, keys: FieldKeys, context?: RecordContext): ParsedRecord {
  return parseObject(record, { keys, context, attributesOf: (object) => new Map(Object.entries(object)) });
}

export interface ObjectReading {
  readonly keys: FieldKeys;
  readonly context: RecordContext | undefined;
  /** The attributes, from which time, severity and message are taken. */
  readonly attributesOf: (object: JsonObject) => Map<string, AttributeValue>;
}

/** Reads a JSON object with attributes of the caller's choice. */
export function parseObject(
  record: RecordText,
  { keys, context, attributesOf }: ObjectReading,
): ParsedRecord {
  const read = objectIn(record.text);
  if (typeof read === 'string') return plainRecord(record, read);
  const attributes = attributesOf(read.object);
  const fields = takeFields(attributes, keys, context);
  if (!record.valid) attributes.set(INVALID_UTF8, true);
  if (read.isLenient) attributes.set(LENIENT_JSON, true);
  if (read.earlier !== undefined) attributes.set(EARLIER_VALUES, read.earlier);
  return {
    timeUnixNano: fields.timeUnixNano,
    severityNumber: fields.severityNumber,
    severityText: fields.severityText,
    body: fields.body ?? record.text,
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
