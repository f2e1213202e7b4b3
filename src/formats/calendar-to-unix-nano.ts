/**
 * Nanoseconds since 1970; undefined for an impossible moment (31 April, hour 24), or for one outside of the
 * range of a 64-bit number of nanoseconds (the years from 1678 to 2261 are within it).
 *
 * `Date` is not used, because it reads 31 February as 2 March and accepts other notations.
 */
export function calendarToUnixNano(time: CalendarTime): bigint | undefined {
  const { nanosecond = 0 } = time;
  const seconds = calendarToUnixSeconds(time);
  if (seconds === undefined || !within(nanosecond, 0, 999_999_999)) return undefined;
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanosecond);
}

/** The same in whole seconds. */
export function calendarToUnixSeconds(time: CalendarTime): number | undefined {
  const { year, month, day, hour, minute, second, offsetMinutes } = time;
  if (!within(year, 1678, 2261) || !within(month, 1, 12) || !within(day, 1, daysIn(year, month)))
    return undefined;
  if (!within(hour, 0, 23) || !within(minute, 0, 59) || !within(second, 0, 60)) return undefined;
  if (!within(offsetMinutes, -MAX_OFFSET_MINUTES, MAX_OFFSET_MINUTES)) return undefined;
  const minutes = (daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offsetMinutes;
  return minutes * 60 + second;
}

/** A date and time in some zone. Months and days count from 1. */
export interface CalendarTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  /** 60 is a leap second: equal to second 0 of the next minute. */
  readonly second: number;
  readonly nanosecond?: number;
  /** The zone's offset from UTC. */
  readonly offsetMinutes: number;
}

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS_BEFORE_1970 = 719_162;
const MAX_OFFSET_MINUTES = 23 * 60 + 59;

/** Whether `value` is a whole number from `min` to `max`. */
function within(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function daysIn(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysSince1970(year: number, month: number, day: number): number {
  const years = year - 1;
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  const leapDay = month > 2 && isLeap(year) ? 1 : 0;
  return (
    years * 365 + leapDays + (DAYS_BEFORE_MONTH[month - 1] ?? 0) + leapDay + (day - 1) - DAYS_BEFORE_1970
  );
}
