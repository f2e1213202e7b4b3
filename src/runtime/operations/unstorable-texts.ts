import type { HttpProblem } from '../http/http-error.ts';

const UNSTORABLE = /\0|\p{Surrogate}/u;

/**
 * Finds texts in a JSON value that no store can hold or compare with, and no file can be named: with U+0000
 * or half a surrogate pair.
 */
export function unstorableTexts(value: unknown, path: string): readonly HttpProblem[] {
  if (typeof value === 'string') {
    return UNSTORABLE.test(value)
      ? [{ path, message: 'expected text without U+0000 and unpaired surrogates' }]
      : [];
  }
  if (Array.isArray(value)) return value.flatMap((each, at) => unstorableTexts(each, `${path}[${at}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    unstorableTexts(each, path === '' ? key : `${path}.${key}`),
  );
}
