import { TIME_ZONE } from '../../../formats/marker-attributes.ts';

/** Formats whose times are local times without a zone. */
const LOCAL_TIMES: ReadonlySet<string> = new Set(['syslog', 'nginx-error', 'apache-error']);

/**
 * The zone of this machine for records that have local times, because programs of this machine have written
 * them. Times in UTC need no zone.
 */
export function localZone(format: string): Iterable<readonly [string, string]> {
  if (!LOCAL_TIMES.has(format)) return [];
  // Each call needs 0.2 ms, and is made for every file.
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return timeZone === 'UTC' ? [] : [[TIME_ZONE, timeZone]];
}
