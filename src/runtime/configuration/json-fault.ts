/**
 * The position of a JSON syntax error, for people: line, column, and the line with a mark below the position.
 */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /**
   * Two lines of text. Values are hidden, since any of them may be a secret; keys and punctuation are shown.
   */
  readonly picture: string;
}

const TOKEN =
  /\s*(?:([{}[\],:])|("(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/uy;

type Kind = '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'value' | 'end';

/**
 * undefined: the text is JSON. (The platform's parser reports the position only sometimes, and quotes the
 * text.)
 */
export function jsonFault(text: string): JsonFault | undefined {
  const offset = faultOffset(text);
  if (offset === undefined) return undefined;
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return { line, column: offset - lineStart + 1, picture: pictureOf(text, lineStart, offset) };
}

function faultOffset(text: string): number | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return new JsonScan(text).faultOffset();
  }
}

/** The previous token and the innermost bracket determine the allowed tokens. */
class JsonScan {
  readonly #text: string;
  readonly #open: ('{' | '[')[] = [];
  #expected: ReadonlySet<Kind> = VALUE;
  #isKey = false;

  constructor(text: string) {
    this.#text = text;
  }

  faultOffset(): number {
    let offset = 0;
    for (;;) {
      const { kind, start, end } = this.#tokenAt(offset);
      if (kind === undefined || !this.#expected.has(kind) || kind === 'end') return start;
      this.#take(kind);
      offset = end;
    }
  }

  #tokenAt(offset: number): {
    readonly kind: Kind | undefined;
    readonly start: number;
    readonly end: number;
  } {
    const start = offset + (/^\s*/.exec(this.#text.slice(offset))?.[0].length ?? 0);
    if (start >= this.#text.length) return { kind: 'end', start, end: start };
    TOKEN.lastIndex = offset;
    const match = TOKEN.exec(this.#text);
    if (match === null) return { kind: undefined, start, end: start };
    const [, mark, text] = match;
    return {
      kind: (mark as Kind | undefined) ?? (text === undefined ? 'value' : 'string'),
      start,
      end: TOKEN.lastIndex,
    };
  }

  #take(kind: Kind): void {
    if (kind === '{' || kind === '[') {
      this.#open.push(kind);
      this.#isKey = kind === '{';
      this.#expected = kind === '{' ? KEY_OR_END : VALUE_OR_END;
    } else if (kind === ',') {
      this.#isKey = this.#open.at(-1) === '{';
      this.#expected = this.#isKey ? KEY : VALUE;
    } else if (kind === ':') {
      this.#isKey = false;
      this.#expected = VALUE;
    } else if (kind === 'string' && this.#isKey) this.#expected = COLON;
    else {
      if (kind === '}' || kind === ']') this.#open.pop();
      this.#expected = AFTER[this.#open.at(-1) ?? 'none'];
    }
  }
}

const VALUE: ReadonlySet<Kind> = new Set(['{', '[', 'string', 'value']);
const VALUE_OR_END: ReadonlySet<Kind> = new Set([...VALUE, ']']);
const KEY: ReadonlySet<Kind> = new Set(['string']);
const KEY_OR_END: ReadonlySet<Kind> = new Set(['string', '}']);
const COLON: ReadonlySet<Kind> = new Set([':']);
const AFTER: Readonly<Record<'{' | '[' | 'none', ReadonlySet<Kind>>> = {
  '{': new Set([',', '}']),
  '[': new Set([',', ']']),
  none: new Set(['end']),
};

const SHOWN_BEFORE = 40;
const SHOWN_AFTER = 20;

function pictureOf(text: string, lineStart: number, offset: number): string {
  const lineEnd = text.indexOf('\n', offset);
  const line = withoutValues(text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd));
  const at = offset - lineStart;
  const from = Math.max(0, at - SHOWN_BEFORE);
  return `  ${line.slice(from, at + SHOWN_AFTER)}\n  ${' '.repeat(at - from)}^`;
}

/** `{"token": "hunter2"}` as `{"token": "*******"}`. */
function withoutValues(line: string): string {
  const hidden = (part: string) => part.replace(/[^\s{}[\]:,"']/g, '*');
  return line
    .split(/("[A-Za-z_]{1,40}"\s*:)/)
    .map((part, index) => (index % 2 === 1 ? part : hidden(part)))
    .join('');
}
