/**
 * Converts text that some programs write instead of JSON: `NaN`, `Infinity` and `-Infinity` (Python, C), and
 * `\x22` in strings (nginx with `escape=default`), where an escape is one byte. Returns valid JSON text with
 * these numbers as strings and these bytes as characters; undefined if the text contains none of them.
 */
export function toStrictJson(text: string): string | undefined {
  if (!MAY_BE_LENIENT.test(text)) return undefined;
  const strict = text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') ? strictString(token) : `"${token}"`,
  );
  return strict === text ? undefined : strict;
}

const MAY_BE_LENIENT = /NaN|Infinity|\\x/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gs;
const ESCAPES = /(?:\\x[0-9A-Fa-f]{2})+|\\./gs;

function strictString(token: string): string {
  return token.replace(ESCAPES, (escaped) =>
    /^\\x[0-9A-Fa-f]{2}/.test(escaped) ? characters(escaped) : escaped,
  );
}

function characters(escaped: string): string {
  const text = Buffer.from(escaped.replaceAll('\\x', ''), 'hex').toString();
  return JSON.stringify(text).slice(1, -1);
}
