import type { AttributePath } from './sql-dialect.ts';

/** The values other than texts that a client sees as a given text. */
interface ShownValue {
  /** The number that is shown so; undefined: none is. */
  readonly number: number | undefined;
  /** The object, list or null that is shown so, as JSON; undefined: none is. */
  readonly json: string | undefined;
}

/** No stored text holds U+0000 or half a surrogate pair, and PostgreSQL does not read their escapes. */
const UNSTORABLE_ESCAPE = /\\u(?:0000|d[89a-f])/i;

/** A database may write `1e+21` with all its digits, and an object with other blanks: so values are compared. */
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
