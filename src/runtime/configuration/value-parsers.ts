import type { z } from 'zod';
import { type Address, parseAddress } from './address.ts';
import { BYTE_SIZE_FORMAT, parseByteSize } from './byte-size.ts';
import { InvalidValue } from './configuration.ts';
import { DurationError, durationToMs, type Nanoseconds, parseDuration } from './duration.ts';
import { jsonProblem } from './json-problem.ts';
import { schemaProblems } from './schema-problems.ts';

/** Parsers for the texts of variables; each throws InvalidValue with the expected value. */

/** A whole number in plain decimal digits: no sign, blank, exponent, fraction or hexadecimal. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidValue(`a whole number from ${min} to ${max}`);
  };
}

const TRUE = new Set(['1', 'true', 'yes', 'on']);
const FALSE = new Set(['0', 'false', 'no', 'off', '']);

export const BOOLEAN_FORMAT = '`1`, `true`, `yes`, `on`, or `0`, `false`, `no`, `off`, empty';

export function booleanValue(text: string): boolean {
  const lower = text.toLowerCase();
  if (TRUE.has(lower)) return true;
  if (FALSE.has(lower)) return false;
  throw new InvalidValue('1, true, yes or on, or 0, false, no, off or nothing');
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((each) => each === text);
    if (choice !== undefined) return choice;
    throw new InvalidValue(choices.length === 1 ? `${choices[0]}` : `one of ${choices.join(', ')}`);
  };
}

export function nonEmptyText(text: string): string {
  if (text.trim() === '') throw new InvalidValue('some text');
  return text;
}

export const DURATION_FORMAT = 'duration such as `15s`, `1m30s`, `250ms` (Go: `time.ParseDuration`)';

/** Milliseconds, possibly with a fraction; more than nothing. */
export function positiveDurationMs(text: string): number {
  const duration = durationOf(text);
  if (duration > 0n) return durationToMs(duration);
  throw new InvalidValue('a duration greater than zero');
}

/** Milliseconds, possibly with a fraction. */
export function durationMs(text: string): number {
  const duration = durationOf(text);
  if (duration >= 0n) return durationToMs(duration);
  throw new InvalidValue('a duration that is not negative');
}

function durationOf(text: string): Nanoseconds {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new InvalidValue(`a duration such as 15s or 1m30s (${error.kind})`);
  }
}

export function byteSizeOfAtLeast(minBytes: number): (text: string) => number {
  return (text) => {
    const bytes = parseByteSize(text);
    if (bytes === undefined) throw new InvalidValue(`a ${BYTE_SIZE_FORMAT.replaceAll('`', '')}`);
    if (bytes < minBytes) throw new InvalidValue(`at least ${minBytes} bytes`);
    return bytes;
  };
}

export const ADDRESS_FORMAT = '`host:port`, `[IPv6 address]:port`, or `:port` for every IPv4 interface';

export function addressValue(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new InvalidValue('host:port with a port from 0 to 65535');
}

interface JsonForm {
  /** A name for the JSON value: `an object`. */
  readonly expected: string;
  /** A value that works, shown with a syntax error. */
  readonly example: string;
}

/** JSON for a zod schema; each fault is a part of the problem, named by its path. */
export function jsonValue<T>(schema: z.ZodType<T>, { expected, example }: JsonForm): (text: string) => T {
  return (text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new InvalidValue(expected, [{ path: '', message: jsonProblem(expected, text, example) }]);
    }
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const parts = schemaProblems('', result.error, () => []).map(({ variable, message }) => ({
      path: variable,
      message,
    }));
    throw new InvalidValue(expected, parts);
  };
}
