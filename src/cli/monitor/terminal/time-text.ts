import { sanitizeForTerminal } from './sanitize-for-terminal.ts';

/** `2026-01-31T11:00:00+01:00`, `2026-01-31T10:00:00Z`; with milliseconds if there are any. */
export function timeText(time: string, { timeZone }: Zoned): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return sanitizeForTerminal(time);
  return rfc3339(date, timeZone).replace(/\.000(?=Z|[+-])/, '');
}

/** The time zone of shown times: that of this machine (`TZ`), or UTC. */
export type TimeZone = 'local' | 'utc';

interface Zoned {
  readonly timeZone: TimeZone;
}

/** `2026-01-31T11:00:00.120+01:00`, `2026-01-31T10:00:00.120Z`: always with milliseconds. */
export function preciseTimeText(time: string, { timeZone }: Zoned): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? sanitizeForTerminal(time) : rfc3339(date, timeZone);
}

/** The offset is always included: a time in a file or a mail must be clear without this machine. */
function rfc3339(date: Date, zone: TimeZone): string {
  const offsetMinutes = zone === 'utc' ? 0 : -date.getTimezoneOffset();
  if (offsetMinutes === 0) return date.toISOString();
  const shifted = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const sign = offsetMinutes < 0 ? '-' : '+';
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
  return `${shifted}${sign}${twoDigits(hours)}:${twoDigits(minutes)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `45s`, `10m`, `1h30m`, `2d4h`: the two largest units. */
export function durationText(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const;
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const whole = Math.floor(rest / size);
    if (whole > 0) parts.push(`${whole}${unit}`);
    else if (parts.length > 0) break;
    rest -= whole * size;
    if (parts.length === 2) break;
  }
  return parts.join('') || '0s';
}
