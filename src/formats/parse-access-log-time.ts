import { calendarToUnixNano } from './calendar-to-unix-nano.ts';
import { numberToUnixNano } from './number-to-unix-nano.ts';
import { parseRfc3339 } from './rfc3339.ts';

/** Nanoseconds since 1970 of an access log's time (Apache's `%t`); undefined for other text. */
export function parseAccessLogTime(text: string): bigint | undefined {
  if (text !== last.text) last = { text, unixNano: readTime(text) };
  return last.unixNano;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;

/** `10/Oct/2000:13:55:36 -0700` always has this length. */
export const ACCESS_LOG_TIME_LENGTH = 26;

/** The last parsed time: most lines of a log have the same second as the previous line. */
let last: { readonly text: string; readonly unixNano: bigint | undefined } = {
  text: '',
  unixNano: undefined,
};

/**
 * The same for the other notations that servers can be configured for: ISO 8601, and seconds or milliseconds
 * since 1970.
 */
export function parseOtherAccessLogTime(text: string): bigint | undefined {
  return parseRfc3339(text) ?? numberToUnixNano(text) ?? parseWithFraction(text);
}

/** `10/Oct/2000:13:55:36.123 -0700` */
function parseWithFraction(text: string): bigint | undefined {
  const [, before = '', fraction = '', after = ''] = /^([^.]{20})\.(\d{1,9})( .{5})$/.exec(text) ?? [];
  const unixNano = readTime(before + after);
  return unixNano === undefined ? undefined : unixNano + BigInt(fraction.padEnd(9, '0'));
}

function readTime(text: string): bigint | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, day, month = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  if (Number(zoneHours) > 23 || Number(zoneMinutes) > 59) return undefined;
  const offset = Number(zoneHours) * 60 + Number(zoneMinutes);
  return calendarToUnixNano({
    year: Number(year),
    month: MONTHS.indexOf(month) + 1,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    offsetMinutes: sign === '-' ? -offset : offset,
  });
}
