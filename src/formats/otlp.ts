import { jsonValueOf, objectOf } from '../protocols/otlp/any-value.ts';
import { embeddedContext } from '../protocols/otlp/embedded-context.ts';
import type { AnyValue, KeyValue } from '../records/gen/opentelemetry/proto/common/v1/common.ts';
import { LogRecord, ResourceLogs } from '../records/gen/opentelemetry/proto/logs/v1/logs.ts';
import type { AttributeValue, ParsedRecord } from '../records/log-record.ts';
import type { RecordContext } from '../records/record-context.ts';
import type { Format } from './format.ts';
import { INVALID_UTF8, OTLP_CONTEXT } from './marker-attributes.ts';
import { OTLP_ATTRIBUTES } from './otlp-attributes.ts';
import { plainRecord } from './plain.ts';
import { recordText } from './record-text.ts';
import { formatRfc3339 } from './rfc3339.ts';
import { severityOfName } from './severity.ts';

/**
 * A log record of OpenTelemetry's protocol: the bytes of a `LogRecord` message. Its resource and scope are an attribute of
 * the peer, or a field of the record when they are large.
 *
 * The attributes are those of the record, of the resource, and what the record has besides: trace, scope, observed
 * time. When an attribute of the resource has the name of another one, it is named `resource.<name>`.
 */
export const otlp: Format = {
  name: 'otlp',
  description: 'Log records of the OpenTelemetry protocol (OTLP), as the source `otlp` receives them.',
  lines: false,
  parse: (bytes, context) => parseOtlp(bytes, context),
};

function parseOtlp(bytes: Uint8Array, context: RecordContext | undefined): ParsedRecord {
  const read = readRecord(bytes, context);
  if (read === undefined) return plainRecord(recordText(bytes), 'not a log record of OTLP');
  const { record, shared } = read;
  const attributes = new Map<string, AttributeValue>(valuesOf(record.attributes));
  for (const [name, value] of ownFields(record)) attributes.set(name, value);
  const [scope] = shared?.scopeLogs ?? [];
  for (const [name, value] of scopeFields(scope)) attributes.set(name, value);
  for (const [name, value] of resourceFields(shared)) addOfResource(attributes, name, value);
  const body = bodyText(record.body);
  if (hasReplaced(body, attributes) && !hasReplacement(bytes)) attributes.set(INVALID_UTF8, true);
  return {
    timeUnixNano: timeOf(record),
    severityNumber: severityOf(record),
    severityText: record.severityText === '' ? undefined : record.severityText,
    body,
    attributes,
  };
}

interface ReadRecord {
  readonly record: LogRecord;
  readonly shared: ResourceLogs | undefined;
}

/** undefined: the bytes are no log record. */
function readRecord(bytes: Uint8Array, context: RecordContext | undefined): ReadRecord | undefined {
  const text = context?.peer?.get(OTLP_CONTEXT) ?? context?.resource.get(OTLP_CONTEXT);
  try {
    if (text !== undefined) return { record: LogRecord.decode(bytes), shared: sharedOf(text) };
    const embedded = embeddedContext(bytes);
    return { record: LogRecord.decode(bytes), shared: embedded && ResourceLogs.decode(embedded) };
  } catch {
    return undefined;
  }
}

/** The last one: consecutive records often have the same. */
let last: { readonly text: string; readonly shared: ResourceLogs | undefined } = {
  text: '',
  shared: undefined,
};

function sharedOf(text: string): ResourceLogs | undefined {
  if (last.text !== text) last = { text, shared: ResourceLogs.decode(Buffer.from(text, 'base64')) };
  return last.shared;
}

type Field = readonly [name: string, value: AttributeValue];

function valuesOf(values: readonly KeyValue[]): readonly Field[] {
  return values.map(({ key, value }) => [key, jsonValueOf(value)]);
}

/** The fields of the record that have no property in the data model of this program. */
function ownFields(record: LogRecord): readonly Field[] {
  const { traceId, spanId, flags, eventName, droppedAttributesCount, timeUnixNano } = record;
  const fields: Field[] = [];
  if (traceId.length > 0) fields.push([OTLP_ATTRIBUTES.traceId, traceId.toString('hex')]);
  if (spanId.length > 0) fields.push([OTLP_ATTRIBUTES.spanId, spanId.toString('hex')]);
  if (flags !== 0) fields.push([OTLP_ATTRIBUTES.traceFlags, flags]);
  if (eventName !== '') fields.push([OTLP_ATTRIBUTES.eventName, eventName]);
  if (droppedAttributesCount > 0)
    fields.push([OTLP_ATTRIBUTES.droppedAttributesCount, droppedAttributesCount]);
  const observed = record.observedTimeUnixNano;
  if (observed !== 0n && timeUnixNano !== 0n)
    fields.push([OTLP_ATTRIBUTES.observedTime, formatRfc3339(observed)]);
  return fields;
}

function scopeFields(scopeLogs: ResourceLogs['scopeLogs'][number] | undefined): readonly Field[] {
  if (scopeLogs === undefined) return [];
  const { scope, schemaUrl } = scopeLogs;
  const fields: Field[] = [];
  if (scope !== undefined && scope.name !== '') fields.push([OTLP_ATTRIBUTES.scopeName, scope.name]);
  if (scope !== undefined && scope.version !== '') fields.push([OTLP_ATTRIBUTES.scopeVersion, scope.version]);
  if (scope !== undefined && scope.attributes.length > 0)
    fields.push([OTLP_ATTRIBUTES.scopeAttributes, objectOf(scope.attributes)]);
  if (schemaUrl !== '') fields.push([OTLP_ATTRIBUTES.scopeSchemaUrl, schemaUrl]);
  return fields;
}

function resourceFields(shared: ResourceLogs | undefined): readonly Field[] {
  if (shared === undefined) return [];
  const fields = valuesOf(shared.resource?.attributes ?? []);
  return shared.schemaUrl === ''
    ? fields
    : [...fields, [OTLP_ATTRIBUTES.resourceSchemaUrl, shared.schemaUrl]];
}

/** An attribute of the record wins, and that of the resource is kept. */
function addOfResource(attributes: Map<string, AttributeValue>, name: string, value: AttributeValue): void {
  const own = attributes.get(name);
  if (own === undefined) attributes.set(name, value);
  else if (JSON.stringify(own) !== JSON.stringify(value)) attributes.set(`resource.${name}`, value);
}

function bodyText(body: AnyValue | undefined): string {
  if (body?.value === undefined) return '';
  const value = jsonValueOf(body);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** As OTLP recommends: a record without a time has that of its observation. */
function timeOf({ timeUnixNano, observedTimeUnixNano }: LogRecord): bigint | undefined {
  const time = timeUnixNano === 0n ? observedTimeUnixNano : timeUnixNano;
  return time === 0n ? undefined : time;
}

/** A number outside the data model is none. Without a number, the name decides. */
function severityOf({ severityNumber, severityText }: LogRecord): number | undefined {
  if (severityNumber >= 1 && severityNumber <= 24) return severityNumber;
  return severityText === '' ? undefined : severityOfName(severityText);
}

const REPLACEMENT = '\ufffd';
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT);

function hasReplaced(body: string, attributes: ReadonlyMap<string, AttributeValue>): boolean {
  if (body.includes(REPLACEMENT)) return true;
  for (const [name, value] of attributes) {
    if (name.includes(REPLACEMENT)) return true;
    if (typeof value === 'string' ? value.includes(REPLACEMENT) : isNestedReplaced(value)) return true;
  }
  return false;
}

function isNestedReplaced(value: AttributeValue): boolean {
  return typeof value === 'object' && value !== null && JSON.stringify(value).includes(REPLACEMENT);
}

/** The record itself contains U+FFFD, so it is no sign of other bytes. */
function hasReplacement(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(REPLACEMENT_BYTES);
}
