const two = (value: number) => String(value).padStart(2, '0');

/** Date and time of day of a moment, in UTC or in the zone of the browser. */
function fieldsOf(date: Date, isUtc: boolean): { readonly day: string; readonly time: string } {
  const [year, month, day, hours, minutes, seconds] = isUtc
    ? [
        date.getUTCFullYear(),
        date.getUTCMonth(),
        date.getUTCDate(),
        date.getUTCHours(),
        date.getUTCMinutes(),
        date.getUTCSeconds(),
      ]
    : [
        date.getFullYear(),
        date.getMonth(),
        date.getDate(),
        date.getHours(),
        date.getMinutes(),
        date.getSeconds(),
      ];
  return {
    day: `${year}-${two(month + 1)}-${two(day)}`,
    time: `${two(hours)}:${two(minutes)}:${two(seconds)}`,
  };
}

/** The digits after the second in an RFC 3339 text; a Date keeps only three of them. */
function fractionOf(iso: string): string {
  return /\.(\d+)/.exec(iso)?.[1] ?? '';
}

/** `2026-11-28 14:03:22.123`; a text that is no time is returned as it is. */
export function timeText(
  iso: string,
  { isUtc, digits = 3 }: { readonly isUtc: boolean; readonly digits?: number },
): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const { day, time } = fieldsOf(date, isUtc);
  const fraction = fractionOf(iso).padEnd(digits, '0').slice(0, digits);
  return `${day} ${time}${digits === 0 ? '' : `.${fraction}`}`;
}

/** As much of the time as fits: `2026-11-28 14:03:22.123`, `11-28 14:03:22.123`, `14:03:22.123`. */
export function fittingTime(
  iso: string,
  { isUtc, characters }: { readonly isUtc: boolean; readonly characters: number },
): string {
  const text = timeText(iso, { isUtc });
  if (characters >= text.length) return text;
  return text.slice(characters >= text.length - 5 ? 5 : 11);
}

/** `14:03:22` for a chart of a day or less, else `11-28 14:03`. */
export function axisTime(
  date: Date,
  { isUtc, spanMs }: { readonly isUtc: boolean; readonly spanMs: number },
): string {
  const { day, time } = fieldsOf(date, isUtc);
  if (spanMs <= 10 * 60_000) return time;
  if (spanMs <= 86_400_000) return time.slice(0, 5);
  return spanMs <= 10 * 86_400_000 ? `${day.slice(5)} ${time.slice(0, 5)}` : day;
}

/** `UTC`, `UTC+02:00` */
export function zoneName(isUtc: boolean, date = new Date()): string {
  const minutes = isUtc ? 0 : -date.getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `15m` before `now`, or an RFC 3339 time; undefined: neither. */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const [, count, unit = ''] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (count !== undefined) return nowMs - Number(count) * (UNITS_MS[unit] ?? 0);
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** `3 min ago`, for times in the past. */
export function ageText(iso: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(iso)) / 1000));
  if (Number.isNaN(seconds)) return iso;
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} d ago`;
}
