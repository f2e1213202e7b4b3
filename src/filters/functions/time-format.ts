import { numberToUnixNano } from '../../formats/number-to-unix-nano.ts';
import type { WallTime } from '../../formats/time/wall-time.ts';

/** Reads a text in a format of `strptime`: a date and time, or the nanoseconds of seconds since 1970. */
export type TimeFormat = (text: string) => WallTime | bigint | undefined;

type Part =
  | 'year'
  | 'shortYear'
  | 'month'
  | 'monthName'
  | 'day'
  | 'hour'
  | 'hour12'
  | 'half'
  | 'minute'
  | 'second'
  | 'fraction'
  | 'zone'
  | 'unix'
  | 'skip';

const NAMES = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTHS = '[A-Za-z]{3,9}';

const DIRECTIVES: Readonly<Record<string, readonly [source: string, part: Part]>> = {
  Y: ['\\d{4}', 'year'],
  y: ['\\d{2}', 'shortYear'],
  m: ['\\d{1,2}', 'month'],
  b: [MONTHS, 'monthName'],
  B: [MONTHS, 'monthName'],
  h: [MONTHS, 'monthName'],
  d: ['\\d{1,2}', 'day'],
  e: ['\\d{1,2}', 'day'],
  H: ['\\d{1,2}', 'hour'],
  I: ['\\d{1,2}', 'hour12'],
  p: ['[AaPp][Mm]', 'half'],
  M: ['\\d{1,2}', 'minute'],
  S: ['\\d{1,2}', 'second'],
  f: ['\\d{1,9}', 'fraction'],
  L: ['\\d{1,9}', 'fraction'],
  z: ['Z|UTC|GMT|[+-]\\d{2}:?\\d{2}', 'zone'],
  a: ['[A-Za-z]{2,9}', 'skip'],
  A: ['[A-Za-z]{2,9}', 'skip'],
  s: ['\\d{9,19}(?:\\.\\d{1,9})?', 'unix'],
};

const COMBINED: Readonly<Record<string, string>> = {
  T: '%H:%M:%S',
  F: '%Y-%m-%d',
  D: '%m/%d/%y',
  R: '%H:%M',
};
const MAX_FORMAT = 200;

/** Returns the reason as a text if the format is not valid. */
export function compileTimeFormat(format: string): TimeFormat | string {
  if (format.length > MAX_FORMAT)
    return `a format has at most ${MAX_FORMAT} characters, got ${format.length}`;
  const expanded = format.replaceAll(/%([TFDR])/g, (all, letter: string) => COMBINED[letter] ?? all);
  const parts: Part[] = [];
  let source = '';
  for (let at = 0; at < expanded.length; at++) {
    const char = expanded[at] ?? '';
    if (char !== '%') {
      source += char === ' ' ? ' {1,4}' : char.replace(/[^\w\s]/, '\\$&');
      continue;
    }
    const letter = expanded[++at] ?? '';
    const directive = Object.hasOwn(DIRECTIVES, letter) ? DIRECTIVES[letter] : undefined;
    if (letter === '%') source += '%';
    else if (directive === undefined) return unknownDirective(letter);
    else {
      source += `(${directive[0]})`;
      parts.push(directive[1]);
    }
  }
  return reader(new RegExp(`^ {0,4}${source} {0,4}$`), parts);
}

function unknownDirective(letter: string): string {
  const known = [...Object.keys(DIRECTIVES), ...Object.keys(COMBINED), '%'].map((each) => `%${each}`);
  return `the format has no directive %${letter}; it has ${known.join(' ')}`;
}

const MAX_TEXT = 256;

function reader(expression: RegExp, parts: readonly Part[]): TimeFormat {
  return (text) => {
    const found = text.length > MAX_TEXT ? null : expression.exec(text);
    if (found === null) return undefined;
    const values: Partial<Record<Part, string>> = {};
    for (const [at, part] of parts.entries()) values[part] = found[at + 1] ?? '';
    return values.unix === undefined ? wallTimeOf(values) : numberToUnixNano(values.unix);
  };
}

function wallTimeOf(values: Partial<Record<Part, string>>): WallTime | undefined {
  const month =
    values.monthName === undefined
      ? Number(values.month ?? 1)
      : NAMES.indexOf(values.monthName.slice(0, 3).toLowerCase()) + 1;
  if (month === 0) return undefined;
  return {
    wall: {
      ...{ year: yearOf(values), month, day: Number(values.day ?? 1) },
      ...{ hour: hourOf(values), minute: Number(values.minute ?? 0), second: Number(values.second ?? 0) },
    },
    nanosecond: Number((values.fraction ?? '').padEnd(9, '0')),
    offsetMinutes: values.zone === undefined ? undefined : offsetOf(values.zone),
  };
}

/** 0: the text has no year. As in POSIX, 69 is 1969 and 68 is 2068. */
function yearOf({ year, shortYear }: Partial<Record<Part, string>>): number {
  if (shortYear === undefined) return Number(year ?? 0);
  const number = Number(shortYear);
  return number < 69 ? 2000 + number : 1900 + number;
}

function hourOf({ hour, hour12, half }: Partial<Record<Part, string>>): number {
  if (hour12 === undefined) return Number(hour ?? 0);
  return (Number(hour12) % 12) + (half?.toLowerCase() === 'pm' ? 12 : 0);
}

function offsetOf(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  if (sign === undefined) return 0;
  const offset = Number(hours) * 60 + Number(minutes);
  return sign === '-' ? -offset : offset;
}
