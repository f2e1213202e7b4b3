import type { AttributeValue, LogRecord } from '../../records/log-record.ts';
import { hostOf, serviceOf } from '../../records/record-origin.ts';
import { severityOfRecord } from './severity-of-record.ts';
import type { StructuredData, SyslogMessage } from './syslog-message.ts';

/** Values for records that have none of their own. */
export interface MessageDefaults {
  readonly facility: number;
  readonly severity: number;
  readonly host: string;
  readonly app: string;
  /** Adds an element with the identity of the record: its stream and position. */
  readonly identify: boolean;
}

/** The element with the identity of a record. 32473 is the enterprise number for examples (RFC 5612). */
export const IDENTITY_ELEMENT = 'megacollector@32473';

/** Converts a record to a message. The attributes of a record win over those of its resource. */
export function messageOfRecord(record: LogRecord, defaults: MessageDefaults): SyslogMessage {
  const { attributes } = record;
  return {
    facility: codeIn(attributes.get(FACILITY), 23) ?? defaults.facility,
    severity: codeIn(attributes.get(SEVERITY), 7) ?? severityOfRecord(record) ?? defaults.severity,
    timeUnixNano: record.timeUnixNano ?? record.observedTimeUnixNano,
    host: hostOf(record) ?? defaults.host,
    app: serviceOf(record) ?? defaults.app,
    processId: textOf(record, 'process.pid') ?? textOf(record, 'pid') ?? '',
    messageId: textOf(record, MESSAGE_ID) ?? '',
    structuredData: structuredDataOf(record, defaults.identify),
    fields: fieldsOf(record),
    text: record.body,
  };
}

const FACILITY = 'syslog.facility.code';
const SEVERITY = 'syslog.severity.code';
const MESSAGE_ID = 'syslog.msg_id';
const STRUCTURED_DATA = 'syslog.structured_data';
/** Attributes that have a place of their own in a message. */
const PLACED: ReadonlySet<string> = new Set([
  FACILITY,
  SEVERITY,
  MESSAGE_ID,
  STRUCTURED_DATA,
  'host.name',
  'service.name',
  'process.pid',
]);

function codeIn(value: AttributeValue | undefined, max: number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
    ? value
    : undefined;
}

function textOf({ attributes, resource }: LogRecord, name: string): string | undefined {
  const value = attributes.get(name) ?? resource.get(name);
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return text === '' ? undefined : text;
}

function structuredDataOf({ attributes, stream, position }: LogRecord, identify: boolean): StructuredData {
  const data = new Map<string, ReadonlyMap<string, readonly string[]>>();
  for (const [id, parameters] of entriesOf(attributes.get(STRUCTURED_DATA))) {
    // A forwarded message has the identity that its first sender gave it, unless we add our own.
    if (identify && id === IDENTITY_ELEMENT) continue;
    data.set(id, new Map(entriesOf(parameters).map(([name, value]) => [name, valuesOf(value)])));
  }
  if (identify) {
    const identity = new Map([
      ['stream', [stream]],
      ['position', [String(position)]],
    ]);
    data.set(IDENTITY_ELEMENT, identity);
  }
  return data;
}

function entriesOf(value: AttributeValue | undefined): readonly (readonly [string, AttributeValue])[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function valuesOf(value: AttributeValue): readonly string[] {
  const values: readonly AttributeValue[] = Array.isArray(value) ? value : [value];
  return values.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
}

function fieldsOf({ attributes }: LogRecord): Record<string, AttributeValue> {
  return Object.fromEntries([...attributes].filter(([name]) => !PLACED.has(name)));
}
