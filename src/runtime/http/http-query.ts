import { HttpError, type HttpProblem } from './http-error.ts';

/**
 * `?host=web-1&where=a=1&where=b=2` by name, in order. Throws HttpError (400) for what is not percent-encoded
 * UTF-8.
 */
export function parseQuery(query: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  const problems: HttpProblem[] = [];
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const nameText = equals < 0 ? pair : pair.slice(0, equals);
    const name = decoded(nameText);
    const value = decoded(equals < 0 ? '' : pair.slice(equals + 1));
    if (name === undefined || value === undefined) {
      problems.push({ path: nameText, message: 'expected percent-encoded UTF-8' });
    } else {
      values.set(name, [...(values.get(name) ?? []), value]);
    }
  }
  if (problems.length > 0) {
    throw new HttpError(400, 'invalid-request', 'Cannot parse the query.', { problems });
  }
  return values;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
