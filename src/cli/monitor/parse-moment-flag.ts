import type { TimeZone } from './terminal/time-text.ts';

/**
 * Converts a time as people write it to the form of the API: RFC 3339, or a duration. undefined: it is not a
 * time.
 */
export function parseMomentFlag(text: string, present: Present): string | undefined {
  const word = wordMoment(text.toLowerCase(), present);
  if (word !== undefined) return word.toISOString();
  return agoOf(text) ?? epochOf(text) ?? dateOf(text, present.timeZone) ?? withOffset(text);
}

/** The forms that a flag for a time accepts, for help and errors. */
export const MOMENT_FORMAT =
  'a time such as 2026-01-31, "2026-01-31 10:00" or 2026-01-31T10:00:00Z, a time ago such as 15m or 3d, ' +
  'today, yesterday, now, or seconds since 1970';

interface Present {
  readonly now: Date;
  /** For dates and times without an offset. */
  readonly timeZone: TimeZone;
}

function wordMoment(word: string, { now, timeZone }: Present): Date | undefined {
  if (word === 'now') return now;
  if (word === 'today') return midnight(now, timeZone, 0);
  return word === 'yesterday' ? midnight(now, timeZone, -1) : undefined;
}

/** Adds days by the calendar: a day on which the clocks change has 23 or 25 hours. */
function midnight(now: Date, timeZone: TimeZone, days: number): Date {
  return timeZone === 'utc'
    ? new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days))
    : new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
}

const HOURS_IN: Readonly<Record<string, number>> = { d: 24, w: 24 * 7 };
const AGO = /^(?:([0-9]{1,5})w)?(?:([0-9]{1,6})d)?((?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))*)$/;

/** `3d`, `1w`, `1d12h`, converted to hours: durations of the API have no days. */
function agoOf(text: string): string | undefined {
  if (text === '0') return '0s';
  const [all, weeks = '0', days = '0', rest = ''] = AGO.exec(text) ?? [];
  if (!all) return undefined;
  const hours = Number(weeks) * (HOURS_IN.w ?? 0) + Number(days) * (HOURS_IN.d ?? 0);
  return hours === 0 && rest !== '' ? rest : `${hours}h${rest}`;
}

/** Seconds, or milliseconds if there are 13 digits. */
function epochOf(text: string): string | undefined {
  if (!/^(?:[0-9]{9,10}(?:\.[0-9]+)?|[0-9]{13})$/.test(text)) return undefined;
  return new Date(text.length === 13 ? Number(text) : Number(text) * 1000).toISOString();
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d*)?)?)?$/;

function dateOf(text: string, timeZone: TimeZone): string | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((each) => Number(each ?? 0));
  const parts = [
    year,
    month - 1,
    day,
    hour,
    minute,
    second,
    Number((match[7] ?? '').padEnd(3, '0')),
  ] as const;
  const utc = new Date(Date.UTC(...parts));
  // JavaScript would accept 31 February and 25 o'clock.
  if (utc.toISOString().slice(0, 19) !== normal(match)) return undefined;
  return (timeZone === 'utc' ? utc : new Date(...parts)).toISOString();
}

function normal([, year, month, day, hour = '00', minute = '00', second = '00']: RegExpExecArray): string {
  return `${year}-${month}-${day}T${hour}:${minute}:${second}`;
}

/** RFC 3339 is passed on unchanged: the schema of the request checks it. */
function withOffset(text: string): string | undefined {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/.test(text)
    ? text
    : undefined;
}
