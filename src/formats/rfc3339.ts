import { calendarToUnixNano } from './calendar-to-unix-nano.ts';

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,18}))? ?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)$/;

/**
 * Nanoseconds since 1970 of an RFC 3339 time. Like ISO 8601 and many loggers, it may have a comma before the
 * fraction, a blank before the zone, and a zone of the form `+hhmm` or `+hh`. Digits beyond nanoseconds are
 * dropped. A time without a zone is not a moment: undefined.
 */
export function parseRfc3339(text: string): bigint | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second,
    fraction = '',
    ,
    sign,
    zoneHours = '0',
    zoneMinutes = '0',
  ] = match;
  if (Number(zoneHours) > 23 || Number(zoneMinutes) > 59) return undefined;
  const offset = Number(zoneHours) * 60 + Number(zoneMinutes);
  return calendarToUnixNano({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    nanosecond: Number(fraction.slice(0, 9).padEnd(9, '0')),
    offsetMinutes: sign === '-' ? -offset : offset,
  });
}

/** The largest time that `Date` supports. */
const MAX_UNIX_MS = 8_640_000_000_000_000n;

/**
 * `2023-11-14T22:13:20.123456789Z`: always UTC with nine digits, so that the order of texts is the order of
 * times.
 */
export function formatRfc3339(unixNano: bigint): string {
  let nanos = unixNano % 1_000_000_000n;
  if (nanos < 0n) nanos += 1_000_000_000n;
  let ms = (unixNano - nanos) / 1_000_000n;
  if (ms > MAX_UNIX_MS) ms = MAX_UNIX_MS;
  if (ms < -MAX_UNIX_MS) ms = -MAX_UNIX_MS;
  const seconds = new Date(Number(ms)).toISOString().slice(0, -5);
  return `${seconds}.${String(nanos).padStart(9, '0')}Z`;
}
