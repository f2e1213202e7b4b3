import type { LogRecord } from '../../records/log-record.ts';
import { levelOfSeverity } from './gelf-level.ts';
import { type GelfMessage, messageOfText } from './gelf-message.ts';

/**
 * A record as a message. Attributes and resource are additional fields under their own names, the attributes first:
 * where both have one, theirs keeps it. Stream and position go along: at-least-once delivery may send a record
 * twice, and by these two a receiver can tell.
 */
export function messageOfRecord(record: LogRecord): GelfMessage {
  const fields = new Map<string, unknown>(record.attributes);
  const add = (name: string, value: unknown, prefix: string) =>
    fields.set(fields.has(name) ? `${prefix}.${name}` : name, value);
  for (const [name, value] of record.resource) if (name !== 'host.name') add(name, value, 'resource');
  add('severity', record.severityText, 'record');
  add('stream', record.stream, 'record');
  add('position', record.position, 'record');
  return {
    ...messageOfText(record.body),
    host: record.resource.get('host.name'),
    timestamp: seconds(record.timeUnixNano) ?? seconds(record.observedTimeUnixNano),
    level: levelOfSeverity(record.severityNumber, record.severityText),
    fields,
  };
}

/** To the microsecond: what a double holds. undefined: none, or one that GELF cannot say. */
function seconds(unixNano: bigint | undefined): number | undefined {
  return unixNano === undefined || unixNano < 1_000n ? undefined : Number(unixNano / 1_000n) / 1e6;
}
