import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { HOST_NAME } from '../../records/record-origin.ts';
import { InnerFormat } from '../containers/inner-format.ts';
import type { Format } from '../format.ts';
import { type JsonObject, objectIn } from '../json.ts';
import { INVALID_UTF8, LENIENT_JSON } from '../marker-attributes.ts';
import { numberToUnixNano } from '../number-to-unix-nano.ts';
import { plainRecord } from '../plain.ts';
import { recordText } from '../record-text.ts';
import { takeFields } from '../take-fields.ts';
import { HTTP_KEYS, parseText } from './http.ts';

/** The attributes of the envelope of an event, with the names of the OpenTelemetry Collector. */
export const SPLUNK_NAMES: ReadonlyMap<string, string> = new Map([
  ['host', HOST_NAME],
  ['source', 'com.splunk.source'],
  ['sourcetype', 'com.splunk.sourcetype'],
  ['index', 'com.splunk.index'],
]);

/**
 * An event that a client sent to Splunk's HTTP Event Collector: a JSON object with `event`, `time`, `host`, `source`,
 * `sourcetype`, `index` and `fields`. The time of the envelope is the time of the record; without it, that of the event.
 * A text is read like that of the format `http`.
 */
export function splunkFormat(formatNamed: (name: string) => Format): Format {
  const inner = new InnerFormat(formatNamed);
  return {
    name: 'http-splunk',
    description: "Events of Splunk's HTTP Event Collector.",
    lines: true,
    parse: (bytes, context) => parseEnvelope(bytes, inner, context),
  };
}

function parseEnvelope(
  bytes: Uint8Array,
  inner: InnerFormat,
  context: RecordContext | undefined,
): ParsedRecord {
  const record = recordText(bytes);
  const read = objectIn(record.text);
  if (typeof read === 'string') return plainRecord(record, read);
  const { event, time, fields } = read.object;
  const timeUnixNano =
    typeof time === 'number' || typeof time === 'string' ? numberToUnixNano(String(time)) : undefined;
  const hasTime = timeUnixNano !== undefined;
  const parsed = isObject(event)
    ? parseEvent(event, hasTime, context)
    : parseText(Buffer.from(textOf(event)), inner, context);
  const attributes = new Map<string, AttributeValue>(parsed.attributes);
  const severity = addFields(attributes, fields, parsed, context);
  for (const [key, name] of SPLUNK_NAMES) {
    const value = read.object[key];
    if (value !== undefined && value !== null && value !== '') attributes.set(name, value);
  }
  if (!record.valid) attributes.set(INVALID_UTF8, true);
  if (read.isLenient) attributes.set(LENIENT_JSON, true);
  return { ...parsed, ...severity, timeUnixNano: timeUnixNano ?? parsed.timeUnixNano, attributes };
}

/** With a time in the envelope, the times of the event stay attributes. */
function parseEvent(event: JsonObject, hasTime: boolean, context: RecordContext | undefined): ParsedRecord {
  const attributes = new Map<string, AttributeValue>(Object.entries(event));
  const { body, ...fields } = takeFields(
    attributes,
    hasTime ? { ...HTTP_KEYS, time: [] } : HTTP_KEYS,
    context,
  );
  return { ...fields, body: body ?? JSON.stringify(event), attributes };
}

/** The indexed fields. Their severity is that of the record if the event has none. */
function addFields(
  attributes: Map<string, AttributeValue>,
  fields: AttributeValue | undefined,
  { severityNumber }: ParsedRecord,
  context: RecordContext | undefined,
): Pick<ParsedRecord, 'severityNumber' | 'severityText'> {
  if (!isObject(fields)) return {};
  const own = new Map<string, AttributeValue>(Object.entries(fields));
  const level = severityNumber === undefined ? HTTP_KEYS.level : [];
  const severity = takeFields(own, { time: [], level, message: [] }, context);
  for (const [name, value] of own) if (!attributes.has(name)) attributes.set(name, value);
  return severity.severityNumber === undefined ? {} : severity;
}

function isObject(value: AttributeValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(event: AttributeValue | undefined): string {
  if (typeof event === 'string') return event;
  return event === undefined ? '' : JSON.stringify(event);
}
