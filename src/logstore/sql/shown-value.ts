import type { AttributePath } from './sql-dialect.ts';

/** The values other than texts that a client sees as a given text. */
interface ShownValue {
  /** The number with this text; undefined: there is none. */
  readonly number: number | undefined;
  /** The object, list or null with this text, as JSON; undefined: there is none. */
  readonly json: string | undefined;
}

/** Stored text contains neither U+0000 nor lone surrogates, and PostgreSQL does not read their escapes. */
const UNSTORABLE_ESCAPE = /\\u(?:0000|d[89a-f])/i;

/**
 * Values are compared, because a database may write `1e+21` with all digits, and an object with other blanks.
 */
export function shownValue(shown: string): ShownValue {
  const value = jsonIn(shown);
  const json = typeof value === 'object' ? JSON.stringify(value) : undefined;
  return {
    number: typeof value === 'number' && String(value) === shown ? value : undefined,
    json: json !== undefined && UNSTORABLE_ESCAPE.test(json) ? undefined : json,
  };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function keysOf(path: AttributePath): readonly string[] {
  return typeof path === 'string' ? [path] : path;
}

/** A key that may also be the index of an element of a list. */
export const LIST_INDEX = /^\d+$/;
