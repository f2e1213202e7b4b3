/** The text is not a property. The message names the expected form, for a person. */
export class PropertyError extends Error {
  override readonly name = 'PropertyError';
}

const BEGIN = /^(?:attributes)?(?=\[)/;
const MAX_KEYS = 16;
/** One key in brackets: in single or double quotes, in which a backslash escapes as in JSON. */
const KEY = /\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/sy;

/**
 * The keys of `['any name']`, `attributes['any name']` and `["order"]["id"]`; undefined: the text does not begin with a
 * bracket. Throws PropertyError.
 */
export function readBrackets(text: string): readonly string[] | undefined {
  const found = bracketsAt(text);
  if (found === undefined) return undefined;
  if (found.end === text.length && found.keys.length <= MAX_KEYS) return found.keys;
  throw new PropertyError(`expected brackets such as ['any name'] or ['order']['id'], found ${quoted(text)}`);
}

/** The brackets at the beginning of a text, and their end; `keys` is empty if they are incomplete. */
export function bracketsAt(
  text: string,
): { readonly keys: readonly string[]; readonly end: number } | undefined {
  const begin = BEGIN.exec(text);
  if (begin === null) return undefined;
  const keys: string[] = [];
  let end = begin[0].length;
  for (;;) {
    KEY.lastIndex = end;
    const found = KEY.exec(text);
    if (found === null) return { keys, end: keys.length === 0 ? -1 : end };
    keys.push(unescaped(found[1] ?? found[2] ?? ''));
    end = KEY.lastIndex;
  }
}

/** Throws PropertyError. */
function unescaped(inner: string): string {
  // Converts to JSON: in single quotes a double quote needs no backslash, and `\'` is a single quote.
  const json = inner.replaceAll(/\\.|"/gs, (each) => (each === '"' ? '\\"' : each === "\\'" ? "'" : each));
  try {
    return JSON.parse(`"${json}"`) as string;
  } catch {
    throw new PropertyError(`expected a name with JSON's escapes in brackets, found ${quoted(inner)}`);
  }
}

export function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
