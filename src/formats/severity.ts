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
  ['trce', SEVERITY.trace],
  ['silly', SEVERITY.trace],
  ['finest', SEVERITY.trace],
  ['verbose', SEVERITY.trace],
  ['debug', SEVERITY.debug],
  ['dbg', SEVERITY.debug],
  ['dbug', SEVERITY.debug],
  ['finer', SEVERITY.debug],
  ['fine', SEVERITY.debug],
  ['config', SEVERITY.debug],
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
  ['fail', SEVERITY.error],
  ['crit', SEVERITY.critical],
  ['critical', SEVERITY.critical],
  ['alert', SEVERITY.alert],
  ['fatal', SEVERITY.fatal],
  ['dpanic', SEVERITY.fatal],
  ['panic', SEVERITY.fatal],
  ['emerg', SEVERITY.fatal],
  ['emergency', SEVERITY.fatal],
  // glog and klog: I, W, E, F; Android's logcat: V, D, I, W, E, F.
  ['t', SEVERITY.trace],
  ['v', SEVERITY.trace],
  ['d', SEVERITY.debug],
  ['i', SEVERITY.info],
  ['n', SEVERITY.notice],
  ['w', SEVERITY.warn],
  ['e', SEVERITY.error],
  ['c', SEVERITY.critical],
  ['f', SEVERITY.fatal],
]);

/** Go's slog: a name and a distance from it, such as `INFO+2`. */
const WITH_DISTANCE = /^(debug|info|warn|error)([+-]\d{1,4})$/;
const LEAST: SeverityNumber = 1;
const MOST: SeverityNumber = 24;

/** The severity of a name, in any case; undefined for an unknown name. */
export function severityOfName(level: string): SeverityNumber | undefined {
  const name = level.trim().toLowerCase();
  const named = NAMES.get(name);
  if (named !== undefined) return named;
  const [, base = '', distance] = WITH_DISTANCE.exec(name) ?? [];
  const number = NAMES.get(base);
  return number === undefined ? undefined : Math.min(Math.max(number + Number(distance), LEAST), MOST);
}
