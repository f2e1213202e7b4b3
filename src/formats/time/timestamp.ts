import { BLANK, type ByteCursor, COLON, HYPHEN, isDigit, NOTHING } from '../byte-cursor.ts';
import { LastSecond } from './last-second.ts';
import type { WallSecond, WallTime } from './wall-time.ts';
import { abbreviatedZone } from './zone-abbreviation.ts';

/**
 * Reads the date and time at the current place:
 *
 *     2024-11-28T10:00:00.123456+01:00   RFC 3339; also with a blank or a comma, and without a zone
 *     Oct 11 22:14:15                    RFC 3164; the day with one digit is padded or not
 *     Oct 11 2003 22:14:15, Oct 11 22:14:15 2003, 2025 Jun 25 11:27:28
 *     *Oct 11 22:14:15.123 EST           Cisco: a clock that is not synchronised, a fraction, a zone
 *
 * undefined: there is no date. The cursor is then unchanged. The fields are not checked.
 */
export function readTimestamp(cursor: ByteCursor): WallTime | undefined {
  const start = cursor.at;
  const time = isDigit(cursor.peek()) ? readDigits(cursor) : readNamed(cursor);
  if (time === undefined) cursor.at = start;
  return time;
}

/** RFC 3339, or a year before the name of the month. */
function readDigits(cursor: ByteCursor): WallTime | undefined {
  const known = lastIso.readAt(cursor);
  if (known !== undefined) return withFraction(cursor, known);
  const start = cursor.at;
  const year = exactly(cursor, 4);
  if (year === undefined) return undefined;
  if (cursor.skip(HYPHEN)) return readIso(cursor, start, year);
  return cursor.skip(BLANK) ? readMonthAndTime(cursor, year) : undefined;
}

function readNamed(cursor: ByteCursor): WallTime | undefined {
  if (cursor.peek() === ASTERISK || cursor.peek() === DOT) cursor.at++;
  return readMonthAndTime(cursor, 0);
}

/** After the year. */
function readIso(cursor: ByteCursor, start: number, year: number): WallTime | undefined {
  const month = exactly(cursor, 2);
  if (month === undefined || !cursor.skip(HYPHEN)) return undefined;
  const day = exactly(cursor, 2);
  if (day === undefined || !ISO_SEPARATORS.includes(cursor.peek())) return undefined;
  cursor.at++;
  const clock = readClock(cursor);
  if (clock === undefined) return undefined;
  const second = wallSecond(clock, [year, month, day]);
  lastIso.keep(cursor, start, second);
  return withFraction(cursor, second);
}

/** After the seconds of RFC 3339. */
function withFraction(cursor: ByteCursor, second: WallSecond): WallTime {
  const nanosecond = readFraction(cursor);
  return { wall: second, nanosecond, offsetMinutes: readOffset(cursor) };
}

/** `Oct 11 22:14:15`, with everything that some devices write around it. */
function readMonthAndTime(cursor: ByteCursor, yearBefore: number): WallTime | undefined {
  const second =
    (yearBefore === 0 ? lastBsd.readAt(cursor) : undefined) ?? readMonthAndClock(cursor, yearBefore);
  if (second === undefined) return undefined;
  const nanosecond = readFraction(cursor);
  const year = second.year === 0 ? readTrailingYear(cursor) : second.year;
  const offsetMinutes = readZone(cursor);
  return { wall: year === second.year ? second : { ...second, year }, nanosecond, offsetMinutes };
}

/** Up to the seconds. */
function readMonthAndClock(cursor: ByteCursor, yearBefore: number): WallSecond | undefined {
  const start = cursor.at;
  const month = readMonth(cursor);
  if (month === 0 || !cursor.skip(BLANK)) return undefined;
  cursor.skipBlanks();
  const day = cursor.digits(2);
  if (day === NOTHING || !cursor.skip(BLANK)) return undefined;
  cursor.skipBlanks();
  const yearBehindDay = yearBefore === 0 ? readYear(cursor) : yearBefore;
  const clock = readClock(cursor);
  if (clock === undefined) return undefined;
  const second = wallSecond(clock, [yearBehindDay, month, day]);
  if (yearBehindDay === 0) lastBsd.keep(cursor, start, second);
  return second;
}

/** `2024-11-28T10:00:00` */
const lastIso = new LastSecond(19);
/** `Oct 11 22:14:15`, without a year */
const lastBsd = new LastSecond(15);

/** `2003 ` before the time; 0: the next number is the hour. */
function readYear(cursor: ByteCursor): number {
  const start = cursor.at;
  const year = exactly(cursor, 4);
  if (year !== undefined && cursor.skip(BLANK)) return year;
  cursor.at = start;
  return 0;
}

/** ` 2003` after the time, before a blank or a colon. */
function readTrailingYear(cursor: ByteCursor): number {
  const start = cursor.at;
  if (cursor.skip(BLANK)) {
    const year = exactly(cursor, 4) ?? 0;
    if (isSeparator(cursor.peek()) && year >= 1970 && year < 2100) return year;
  }
  cursor.at = start;
  return 0;
}

interface ClockTime {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

function wallSecond(
  { hour, minute, second }: ClockTime,
  [year, month, day]: readonly [year: number, month: number, day: number],
): WallSecond {
  return { year, month, day, hour, minute, second };
}

/** `22:14:15` */
function readClock(cursor: ByteCursor): ClockTime | undefined {
  const hour = cursor.digits(2);
  if (hour === NOTHING || !cursor.skip(COLON)) return undefined;
  const minute = exactly(cursor, 2);
  if (minute === undefined || !cursor.skip(COLON)) return undefined;
  const second = exactly(cursor, 2);
  if (second === undefined || isDigit(cursor.peek())) return undefined;
  return { hour, minute, second };
}

/** `.123` or `,123`; digits beyond nanoseconds are dropped. */
function readFraction(cursor: ByteCursor): number {
  if (!(cursor.peek() === DOT || cursor.peek() === COMMA) || !isDigit(cursor.peek(1))) return 0;
  cursor.at++;
  const start = cursor.at;
  const digits = cursor.digits(9);
  const nanosecond = digits * (UNITS[cursor.at - start] ?? 1);
  while (isDigit(cursor.peek())) cursor.at++;
  return nanosecond;
}

/** `Z`, `+01:00`, `+0100`, `+01`; undefined if there is none. */
function readOffset(cursor: ByteCursor): number | undefined {
  const sign = cursor.peek();
  if (sign === UPPER_Z || sign === LOWER_Z) {
    cursor.at++;
    return 0;
  }
  if (sign !== PLUS && sign !== HYPHEN) return undefined;
  const start = cursor.at++;
  const hours = exactly(cursor, 2);
  if (hours !== undefined) {
    if (cursor.peek() === COLON && isDigit(cursor.peek(1))) cursor.at++;
    const minutes = exactly(cursor, 2) ?? 0;
    return (sign === HYPHEN ? -1 : 1) * (hours * 60 + minutes);
  }
  cursor.at = start;
  return undefined;
}

/** ` EST`, ` UTC`, or an offset, after a time without a zone. */
function readZone(cursor: ByteCursor): number | undefined {
  const offset = readOffset(cursor);
  if (offset !== undefined || cursor.peek() !== BLANK) return offset;
  const start = cursor.at++;
  if (cursor.peek() === PLUS || (cursor.peek() === HYPHEN && isDigit(cursor.peek(1)))) {
    const found = readOffset(cursor);
    if (found !== undefined && isSeparator(cursor.peek())) return found;
  } else {
    let length = 0;
    while (isUpper(cursor.peek(length)) && length <= MAX_ABBREVIATION) length++;
    const zone = length >= 2 ? abbreviatedZone(cursor.bytes, cursor.at, length) : undefined;
    if (zone !== undefined && isSeparator(cursor.peek(length))) {
      cursor.at += length;
      return zone.offsetMinutes;
    }
  }
  cursor.at = start;
  return undefined;
}

/** 1 to 12 for three letters in any case; 0 for other bytes. */
function readMonth(cursor: ByteCursor): number {
  const letters = ((cursor.peek() | 0x20) << 16) | ((cursor.peek(1) | 0x20) << 8) | (cursor.peek(2) | 0x20);
  const month = MONTHS.get(letters) ?? 0;
  if (month > 0) cursor.at += 3;
  return month;
}

const MONTHS: ReadonlyMap<number, number> = new Map(
  ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map((name, index) => [
    (name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2),
    index + 1,
  ]),
);

/** A number of exactly this many digits, and no more. */
function exactly(cursor: ByteCursor, count: number): number | undefined {
  const start = cursor.at;
  const value = cursor.digits(count);
  if (cursor.at === start + count) return value;
  cursor.at = start;
  return undefined;
}

function isSeparator(byte: number): boolean {
  return byte === BLANK || byte === COLON || byte === NOTHING;
}

function isUpper(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

/** The nanoseconds of the last digit of a fraction, by the number of its digits. */
const UNITS = [1, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1];
const ASTERISK = 0x2a;
const PLUS = 0x2b;
const COMMA = 0x2c;
const DOT = 0x2e;
const UPPER_Z = 0x5a;
const LOWER_Z = 0x7a;
const MAX_ABBREVIATION = 5;
/** `T`, `t`, a blank. */
const ISO_SEPARATORS: readonly number[] = [0x54, 0x74, BLANK];
