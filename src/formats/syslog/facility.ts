/** The names of the facilities 0 to 23. RFC 5424 calls 9 and 15 "clock daemon"; Unix uses 9 for cron. */
export const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['ntp', 'audit', 'alert', 'clock', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6'],
  'local7',
] as const;

/** The code of a name in any case; undefined for an unknown name. */
export function facilityOfName(name: string): number | undefined {
  const index = FACILITIES.indexOf(name.toLowerCase() as (typeof FACILITIES)[number]);
  return index < 0 ? undefined : index;
}
