import type { LogRecord } from '../../records/log-record.ts';
import { HOST_NAME, hostOf } from '../../records/record-origin.ts';
import { levelOfSeverity } from './gelf-level.ts';
import { type GelfMessage, messageOfText } from './gelf-message.ts';

/**
 * Converts a record to a message. Attributes and resource become additional fields with their own names, the
 * attributes first: if both have the same name, the attribute keeps it. Stream and position are included:
 * at-least-once delivery may send a record twice, and a receiver can detect that by these two. So these names
 * are reserved: an attribute `stream`, as in Docker's logs, is sent as `attribute.stream`.
 */
export function messageOfRecord(record: LogRecord): GelfMessage {
  const fields = new Map<string, unknown>();
  const host = hostOf(record);
  for (const [name, value] of record.attributes)
    if (name !== HOST_NAME || value !== host)
      fields.set(IDENTITY.has(name) ? `attribute.${name}` : name, value);
  const add = (name: string, value: unknown, prefix: string) =>
    fields.set(fields.has(name) ? `${prefix}.${name}` : name, value);
  for (const [name, value] of record.resource) {
    if (name !== HOST_NAME) add(name, value, 'resource');
    else if (value !== host) fields.set(`resource.${name}`, value);
  }
  add('severity', record.severityText, 'record');
  fields.set('stream', record.stream);
  fields.set('position', record.position);
  return {
    ...messageOfText(record.body),
    host,
    timestamp: seconds(record.timeUnixNano) ?? seconds(record.observedTimeUnixNano),
    level: levelOfSeverity(record.severityNumber, record.severityText),
    fields,
  };
}

const IDENTITY: ReadonlySet<string> = new Set(['stream', 'position']);

/**
 * Rounded to microseconds, the precision of a double. undefined: no time, or one that GELF cannot represent.
 */
function seconds(unixNano: bigint | undefined): number | undefined {
  return unixNano === undefined || unixNano < 1_000n ? undefined : Number(unixNano / 1_000n) / 1e6;
}
