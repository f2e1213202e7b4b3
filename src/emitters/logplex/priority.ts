import { severityOfRecord } from '../../protocols/syslog/severity-of-record.ts';
import type { LogRecord } from '../../records/log-record.ts';

/** local0, a syslog facility for local use. */
const FACILITY = 16;
const INFORMATIONAL = 6;

/** The syslog priority (facility and severity) of a record; informational if it has no severity. */
export function priorityOf(record: LogRecord): number {
  return FACILITY * 8 + (severityOfRecord(record) ?? INFORMATIONAL);
}
