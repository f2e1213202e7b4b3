import type { SeverityNumber } from '../../records/log-record.ts';

/** syslog's severity (RFC 5424, section 6.2.1): 0 emergency to 7 debug. */
export type GelfLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/**
 * The names that programs use. An application's `fatal` is critical, not an emergency: the system still runs.
 */
const LEVEL_BY_NAME = {
  emerg: 0,
  emergency: 0,
  panic: 0,
  alert: 1,
  crit: 2,
  critical: 2,
  fatal: 2,
  err: 3,
  error: 3,
  warn: 4,
  warning: 4,
  notice: 5,
  info: 6,
  informational: 6,
  information: 6,
  debug: 7,
  verbose: 7,
  trace: 7,
} as const satisfies Record<string, GelfLevel>;

export type GelfLevelName = keyof typeof LEVEL_BY_NAME;

const LEVELS = new Map<string, GelfLevel>(Object.entries(LEVEL_BY_NAME));

/** Converts a number 0 to 7 or a name (any case) to a level; undefined for anything else. */
export function levelOf(level: unknown): GelfLevel | undefined {
  if (typeof level === 'number') {
    return Number.isInteger(level) && level >= 0 && level <= 7 ? (level as GelfLevel) : undefined;
  }
  return typeof level === 'string' ? LEVELS.get(level.trim().toLowerCase()) : undefined;
}

/**
 * The level of a record: by its severity text if that is a known name, otherwise by its severity number. The
 * numbers follow OpenTelemetry's table for syslog (logs data model, appendix B), read backwards. undefined:
 * the record has no severity.
 */
export function levelOfSeverity(
  severityNumber: SeverityNumber | undefined,
  severityText: string | undefined,
): GelfLevel | undefined {
  const named = levelOf(severityText);
  if (named !== undefined) return named;
  if (severityNumber === undefined || !(severityNumber >= 1)) return undefined;
  if (severityNumber < 9) return 7;
  if (severityNumber < 10) return 6;
  if (severityNumber < 13) return 5;
  if (severityNumber < 17) return 4;
  if (severityNumber < 18) return 3;
  if (severityNumber < 19) return 2;
  return severityNumber < 21 ? 1 : 0;
}
