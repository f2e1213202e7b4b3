import type { LogRecord, SeverityNumber } from '../../records/log-record.ts';

/** local0: syslog's facility for what a site defines. */
const FACILITY = 16;
const INFORMATIONAL = 6;

/** OpenTelemetry's table for syslog (logs data model, appendix B), read backwards: from each number on, this severity. */
const SEVERITIES: readonly (readonly [from: SeverityNumber, syslog: number])[] = [
  [21, 0],
  [19, 1],
  [18, 2],
  [17, 3],
  [13, 4],
  [10, 5],
  [9, 6],
  [1, 7],
];

/**
 * PostgreSQL's severities, which mean less than they sound like in syslog's ears: FATAL ends one session, and nobody is
 * to be woken for it.
 */
const POSTGRES_SEVERITIES: ReadonlyMap<string, number> = new Map([
  ['DEBUG', 7],
  ['LOG', 6],
  ['INFO', 6],
  ['NOTICE', 5],
  ['WARNING', 4],
  ['ERROR', 3],
  ['FATAL', 2],
  ['PANIC', 1],
]);

/** Facility and severity of a record as syslog counts them; informational, where it does not say. */
export function priorityOf({ attributes, severityNumber, severityText }: LogRecord): number {
  const postgres = attributes.has('error_severity') ? POSTGRES_SEVERITIES.get(severityText ?? '') : undefined;
  return FACILITY * 8 + (postgres ?? syslogSeverity(severityNumber));
}

function syslogSeverity(number: SeverityNumber | undefined): number {
  if (number === undefined) return INFORMATIONAL;
  return SEVERITIES.find(([from]) => number >= from)?.[1] ?? INFORMATIONAL;
}
