/** The names of the severities 0 to 7 (RFC 5424, section 6.2.1). */
export const SEVERITY_NAMES = [
  'emerg',
  'alert',
  'crit',
  'err',
  'warning',
  'notice',
  'info',
  'debug',
] as const;

/**
 * The names of the facilities 0 to 23. RFC 5424 calls both 9 and 15 "clock daemon"; Unix uses 9 for cron.
 */
export const FACILITY_NAMES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;

const SEVERITY_ALIASES: Readonly<Record<string, number>> = {
  emergency: 0,
  panic: 0,
  critical: 2,
  error: 3,
  warn: 4,
  information: 6,
  informational: 6,
};

const FACILITY_ALIASES: Readonly<Record<string, number>> = { kernel: 0, security: 4 };

/** Returns the code of a number 0 to 7 or a name in any case; undefined for anything else. */
export function severityCodeOf(given: number | string): number | undefined {
  return codeOf(given, SEVERITY_NAMES, SEVERITY_ALIASES);
}

/** Returns the code of a number 0 to 23 or a name in any case; undefined for anything else. */
export function facilityCodeOf(given: number | string): number | undefined {
  return codeOf(given, FACILITY_NAMES, FACILITY_ALIASES);
}

function codeOf(
  given: number | string,
  names: readonly string[],
  aliases: Readonly<Record<string, number>>,
): number | undefined {
  const name = String(given).trim().toLowerCase();
  if (/^\d{1,2}$/.test(name)) return Number(name) < names.length ? Number(name) : undefined;
  const index = names.indexOf(name);
  if (index !== -1) return index;
  return Object.hasOwn(aliases, name) ? aliases[name] : undefined;
}
