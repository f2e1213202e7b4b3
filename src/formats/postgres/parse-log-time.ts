import { calendarToUnixNano } from '../calendar-to-unix-nano.ts';

/**
 * The moment in `2026-11-20 07:16:15.461 UTC`, as nanoseconds since 1970. Only unambiguous zones are
 * accepted: UTC, GMT and numbers (`+03`, `-0330`). Abbreviations such as `IST` are ambiguous: undefined, and
 * the text stays an attribute.
 */
export function parseLogTime(text: string): bigint | undefined {
  const [, year, month, day, hour, minute, second, fraction = '', zone = ''] = LOG_TIME.exec(text) ?? [];
  const offsetMinutes = zoneOffsetMinutes(zone);
  if (offsetMinutes === undefined) return undefined;
  return calendarToUnixNano({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    nanosecond: Number(fraction.padEnd(9, '0')),
    offsetMinutes,
  });
}

const LOG_TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\S+)$/;
/** PostgreSQL's form of a zone without an abbreviation; east of Greenwich is positive. */
const NUMERIC_ZONE = /^([+-])(\d\d)(?::?(\d\d))?$/;
const UNIVERSAL = new Set(['UTC', 'GMT', 'UCT', 'Z', 'Zulu']);

function zoneOffsetMinutes(zone: string): number | undefined {
  if (UNIVERSAL.has(zone)) return 0;
  const [, sign, hours, minutes = '0'] = NUMERIC_ZONE.exec(zone) ?? [];
  if (hours === undefined || Number(minutes) > 59) return undefined;
  const offset = Number(hours) * 60 + Number(minutes);
  return sign === '-' ? -offset : offset;
}
