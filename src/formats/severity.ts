import type { SeverityNumber } from '../records/log-record.ts';

/** OpenTelemetry's severity numbers: the first of each range. */
export const SEVERITY = {
  trace: 1,
  debug: 5,
  info: 9,
  notice: 10,
  warn: 13,
  error: 17,
  critical: 18,
  alert: 19,
  fatal: 21,
} as const;

/** Syslog's severities 0 (emergency) to 7 (debug), as OpenTelemetry maps them. */
export const SYSLOG_SEVERITIES: readonly SeverityNumber[] = [
  SEVERITY.fatal,
  SEVERITY.alert,
  SEVERITY.critical,
  SEVERITY.error,
  SEVERITY.warn,
  SEVERITY.notice,
  SEVERITY.info,
  SEVERITY.debug,
];

const NAMES: ReadonlyMap<string, SeverityNumber> = new Map([
  ['trace', SEVERITY.trace],
  ['finest', SEVERITY.trace],
  ['verbose', SEVERITY.trace],
  ['debug', SEVERITY.debug],
  ['dbg', SEVERITY.debug],
  ['fine', SEVERITY.debug],
  ['info', SEVERITY.info],
  ['information', SEVERITY.info],
  ['informational', SEVERITY.info],
  ['log', SEVERITY.info],
  ['notice', SEVERITY.notice],
  ['warn', SEVERITY.warn],
  ['warning', SEVERITY.warn],
  ['err', SEVERITY.error],
  ['error', SEVERITY.error],
  ['severe', SEVERITY.error],
  ['crit', SEVERITY.critical],
  ['critical', SEVERITY.critical],
  ['alert', SEVERITY.alert],
  ['fatal', SEVERITY.fatal],
  ['panic', SEVERITY.fatal],
  ['emerg', SEVERITY.fatal],
  ['emergency', SEVERITY.fatal],
]);

/** pino's and bunyan's levels. */
const TENS: readonly SeverityNumber[] = [
  SEVERITY.trace,
  SEVERITY.debug,
  SEVERITY.info,
  SEVERITY.warn,
  SEVERITY.error,
  SEVERITY.fatal,
];

/** The severity that a level means, by name in any case, by syslog's number or by pino's; undefined when it means none. */
export function severityOfLevel(level: string | number): SeverityNumber | undefined {
  const name = typeof level === 'string' ? level.trim().toLowerCase() : '';
  const named = NAMES.get(name);
  if (named !== undefined) return named;
  const number = /^\d{1,2}$/.test(name) ? Number(name) : level;
  if (typeof number !== 'number') return undefined;
  return number % 10 === 0 && number >= 10 ? TENS[number / 10 - 1] : SYSLOG_SEVERITIES[number];
}
