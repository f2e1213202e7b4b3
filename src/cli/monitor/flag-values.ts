import type { z } from 'zod';
import { PropertyError } from '../../expressions/property-brackets.ts';
import { type Condition, readCondition } from '../../logstore/logs/read-condition.ts';
import { DurationError, durationToMs, parseDuration } from '../../runtime/configuration/duration.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { MOMENT_FORMAT, parseMomentFlag } from './parse-moment-flag.ts';
import { sanitizeForTerminal } from './terminal/sanitize-for-terminal.ts';
import type { TimeZone } from './terminal/time-text.ts';

/** Parses the texts of flags and collects their problems, to report all of them at once. */
export class FlagValues {
  readonly #problems: { readonly flag: string; readonly message: string }[] = [];

  /** Seconds: `60`, or a duration of whole seconds: `10s`, `1h`. */
  seconds(flag: string, text: string | undefined): number | undefined {
    return this.#read(flag, text, 'seconds such as 60, or a duration such as 10s or 1h', secondsOf);
  }

  /** A time, in the form that the API reads. */
  moment(flag: string, text: string | undefined, timeZone: TimeZone): string | undefined {
    const present = { now: new Date(), timeZone };
    return this.#read(flag, text, MOMENT_FORMAT, (given) => parseMomentFlag(given, present));
  }

  number(flag: string, text: string | undefined): number | undefined {
    return this.#read(flag, text, 'a number', numberOf);
  }

  /** `property=value`, or an expression, each. */
  pairs(flag: string, texts: readonly string[] | undefined) {
    const expected = 'property=value, such as status_code=500';
    return texts?.flatMap((text) => this.#read(flag, text, expected, pairOf) ?? []);
  }

  /** `name=expression`, each. */
  named(flag: string, texts: readonly string[]) {
    const expected = "name=expression, such as 'slow=duration > 500'";
    return texts.flatMap((text) => this.#read(flag, text, expected, namedOf) ?? []);
  }

  /**
   * Throws a CommandError with all problems. Problems of `value` are reported with the names of its flags.
   */
  checked<T>(schema: z.ZodType<T>, value: unknown, flags: FlagNames): T {
    const result = schema.safeParse(value);
    for (const issue of result.error?.issues ?? []) {
      const flag = flagOf(issue.path, flags);
      // A value that could not be parsed is missing now; its problem is reported already.
      if (!this.#problems.some((each) => each.flag === flag)) {
        const expected = expectation(issue);
        // A schema that parses a text in parts names the part that it found.
        const whole = expected.includes(', found ') ? '' : found(value, issue.path);
        this.#problems.push({ flag, message: `${expected}${whole}` });
      }
    }
    if (result.success && this.#problems.length === 0) return result.data;
    const lines = this.#problems.map(({ flag, message }) => `${flag}: ${message}`);
    if (lines.length === 1) throw new CommandError(`${lines[0]}.`, EXIT.usage);
    throw new CommandError(`Invalid options:\n  ${lines.join('\n  ')}`, EXIT.usage);
  }

  #read<T>(
    flag: string,
    text: string | undefined,
    expected: string,
    read: (text: string) => T | undefined,
  ): T | undefined {
    if (text === undefined) return undefined;
    const value = read(text);
    if (value === undefined) {
      this.#problems.push({ flag, message: `expected ${expected}, found ${quoted(text)}` });
    }
    return value;
  }
}

/** The flag for each path in a schema (`filter.severity`; empty: the whole value). */
export type FlagNames = Readonly<Record<string, string>>;

function secondsOf(text: string): number | undefined {
  if (/^[0-9]{1,12}$/.test(text)) return Number(text);
  try {
    const seconds = durationToMs(parseDuration(text)) / 1000;
    return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : undefined;
  } catch (error) {
    if (error instanceof DurationError) return undefined;
    throw error;
  }
}

function numberOf(text: string): number | undefined {
  const value = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i.test(text)
    ? Number(text)
    : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function pairOf(text: string): Condition | undefined {
  try {
    const condition = readCondition(text);
    return condition !== undefined && 'property' in condition && condition.property === ''
      ? undefined
      : condition;
  } catch (error) {
    if (error instanceof PropertyError) return undefined;
    throw error;
  }
}

function namedOf(text: string): { readonly name: string; readonly where: string } | undefined {
  const equals = text.indexOf('=');
  const [name, where] = [text.slice(0, Math.max(equals, 0)).trim(), text.slice(equals + 1).trim()];
  return name === '' || where === '' ? undefined : { name, where };
}

function flagOf(path: readonly PropertyKey[], flags: FlagNames): string {
  for (let length = path.length; length > 0; length--) {
    const flag = flags[path.slice(0, length).join('.')];
    if (flag !== undefined) return flag;
  }
  return flags[''] ?? path.join('.');
}

/** Replaces Zod's own messages; messages that a schema defines are kept. */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    return `expected ${TYPES[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'invalid_value') {
    return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`;
  }
  if (issue.code === 'too_small') {
    return issue.origin === 'string' ? 'expected some text' : `expected at least ${issue.minimum}`;
  }
  if (issue.code === 'too_big') {
    return `expected at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
  }
  // For `*` or a property, only the second part of the union is worth reporting.
  if (issue.code === 'invalid_union' && issue.message === UNION_OF_ZOD) {
    return issue.errors.flat().at(-1)?.message ?? issue.message;
  }
  return issue.message;
}

const UNION_OF_ZOD = 'Invalid input';

const TYPES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
};

function found(value: unknown, path: readonly PropertyKey[]): string {
  const at = path.reduce<unknown>(
    (each, key) => (each as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key],
    value,
  );
  if (at === undefined) return ', found nothing';
  return typeof at === 'string' || typeof at === 'number' ? `, found ${quoted(String(at))}` : '';
}

const LONGEST = 80;

function quoted(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
  return sanitizeForTerminal(JSON.stringify(shown));
}
