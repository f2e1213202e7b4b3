import type { LogRecord, SeverityNumber } from '../../records/log-record.ts';

/**
 * The inverse of OpenTelemetry's table for syslog (logs data model, appendix B): the severity from each
 * number up.
 */
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
 * PostgreSQL severities are less severe than the syslog ones of the same name: FATAL ends one session and
 * needs no immediate action.
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

/** The syslog severity (0 to 7) of a record; undefined if it has none. */
export function severityOfRecord({
  attributes,
  severityNumber,
  severityText,
}: Pick<LogRecord, 'attributes' | 'severityNumber' | 'severityText'>): number | undefined {
  const postgres = attributes.has('error_severity') ? POSTGRES_SEVERITIES.get(severityText ?? '') : undefined;
  if (postgres !== undefined || severityNumber === undefined) return postgres;
  return SEVERITIES.find(([from]) => severityNumber >= from)?.[1];
}
