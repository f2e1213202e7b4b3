import { OTLP_CONTEXT } from '../../formats/marker-attributes.ts';
import { OTLP_ATTRIBUTES } from '../../formats/otlp-attributes.ts';
import { parseRfc3339 } from '../../formats/rfc3339.ts';
import { anyValueOf, keyValuesOf } from '../../protocols/otlp/any-value.ts';
import type { RecordGroup } from '../../protocols/otlp/request-codec.ts';
import { type LogRecord, ResourceLogs } from '../../records/gen/opentelemetry/proto/logs/v1/logs.ts';
import type { AttributeValue, LogRecord as Record } from '../../records/log-record.ts';
import { peerOf } from '../../records/peer-column.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { Resource } from '../../records/resource.ts';

/** A record as a log record of OTLP, and what it shares with others. */
export interface OutgoingRecord {
  /** Equal for records of the same group. */
  readonly groupKey: string;
  readonly group: () => RecordGroup;
  readonly record: LogRecord;
}

/** The identity of a record, with which a receiver can drop a repetition. */
const RECORD_UID = 'log.record.uid';

type Attributes = Map<string, AttributeValue>;

/**
 * Converts a record. Attributes that the format `otlp` has made of fields become these fields again, and those of the
 * resource of OTLP are sent in the resource.
 */
export function outgoingRecord(record: Record, slice: RecordBatch, index: number): OutgoingRecord {
  const attributes: Attributes = new Map(record.attributes);
  const resource: Attributes = new Map<string, AttributeValue>(record.resource);
  for (const name of resourceNames(peerOf(slice, index))) {
    const value = attributes.get(name);
    if (value !== undefined) resource.set(name, value);
    attributes.delete(name);
  }
  const scope = [
    takeText(attributes, OTLP_ATTRIBUTES.scopeName),
    takeText(attributes, OTLP_ATTRIBUTES.scopeVersion),
    takeObject(attributes, OTLP_ATTRIBUTES.scopeAttributes),
    takeText(attributes, OTLP_ATTRIBUTES.scopeSchemaUrl),
    takeText(attributes, OTLP_ATTRIBUTES.resourceSchemaUrl),
  ] as const;
  return {
    groupKey: JSON.stringify([[...resource], scope]),
    group: () => groupOf(resource, scope),
    record: logRecordOf(record, attributes),
  };
}

type Scope = readonly [
  name: string,
  version: string,
  attributes: { readonly [key: string]: AttributeValue } | undefined,
  schemaUrl: string,
  resourceSchemaUrl: string,
];

function groupOf(
  resource: Attributes,
  [name, version, attributes, schemaUrl, resourceUrl]: Scope,
): RecordGroup {
  const hasScope = name !== '' || version !== '' || attributes !== undefined;
  const values = keyValuesOf(Object.entries(attributes ?? {}));
  return {
    resource: keyValuesOf(resource),
    resourceSchemaUrl: resourceUrl,
    scope: hasScope ? { name, version, attributes: values, droppedAttributesCount: 0 } : undefined,
    scopeSchemaUrl: schemaUrl,
  };
}

/** Takes its fields out of the attributes. */
function logRecordOf(record: Record, attributes: Attributes): LogRecord {
  const { stream, position, part } = record;
  const observed = parseRfc3339(takeText(attributes, OTLP_ATTRIBUTES.observedTime));
  const fields = {
    timeUnixNano: unsigned(record.timeUnixNano),
    observedTimeUnixNano: unsigned(observed ?? record.observedTimeUnixNano),
    severityNumber: record.severityNumber ?? 0,
    severityText: record.severityText ?? '',
    body: anyValueOf(record.body),
    droppedAttributesCount: takeUint32(attributes, OTLP_ATTRIBUTES.droppedAttributesCount),
    flags: takeUint32(attributes, OTLP_ATTRIBUTES.traceFlags),
    traceId: takeHex(attributes, OTLP_ATTRIBUTES.traceId, 16),
    spanId: takeHex(attributes, OTLP_ATTRIBUTES.spanId, 8),
    eventName: takeText(attributes, OTLP_ATTRIBUTES.eventName),
  };
  if (!attributes.has(RECORD_UID))
    attributes.set(RECORD_UID, `${stream}-${position}${part === undefined ? '' : `-${part}`}`);
  return { ...fields, attributes: keyValuesOf(attributes) };
}

/** A time that the field cannot contain is absent. */
function unsigned(unixNano: bigint | undefined): bigint {
  return unixNano === undefined || unixNano < 0n || unixNano >= 2n ** 64n ? 0n : unixNano;
}

function takeText(attributes: Attributes, name: string): string {
  const value = attributes.get(name);
  if (typeof value !== 'string') return '';
  attributes.delete(name);
  return value;
}

function takeObject(attributes: Attributes, name: string): Scope[2] {
  const value = attributes.get(name);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  attributes.delete(name);
  return value as Scope[2];
}

function takeUint32(attributes: Attributes, name: string): number {
  const value = attributes.get(name);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= 2 ** 32) return 0;
  attributes.delete(name);
  return value;
}

/** An id of another length stays an attribute. */
function takeHex(attributes: Attributes, name: string, bytes: number): Buffer {
  const value = attributes.get(name);
  const isId = typeof value === 'string' && value.length === bytes * 2 && /^[0-9a-fA-F]+$/.test(value);
  if (!isId) return NO_BYTES;
  attributes.delete(name);
  return Buffer.from(value, 'hex');
}

const NO_BYTES = Buffer.alloc(0);
const NO_NAMES: readonly string[] = [];
const namesByPeer = new WeakMap<Resource, readonly string[]>();

/** The names of the attributes of the resource of OTLP, which are among the attributes of the record. */
function resourceNames(peer: Resource | undefined): readonly string[] {
  const context = peer?.get(OTLP_CONTEXT);
  if (peer === undefined || context === undefined) return NO_NAMES;
  const known = namesByPeer.get(peer) ?? readNames(context);
  namesByPeer.set(peer, known);
  return known;
}

function readNames(context: string): readonly string[] {
  try {
    const { resource } = ResourceLogs.decode(Buffer.from(context, 'base64'));
    return resource?.attributes.map(({ key }) => key) ?? NO_NAMES;
  } catch {
    return NO_NAMES;
  }
}
