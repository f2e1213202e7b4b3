import { type Token, tokensOf } from './tokens.ts';

export interface QueryFilter {
  /** The whole query is a text to find in bodies. */
  readonly text?: string;
  /** The query as an expression of the aggregator. */
  readonly where?: string;
  /** From an offset in `where` to the offset in the query. */
  readonly queryOffset: (whereOffset: number) => number;
}

/**
 * The filter of a query. A query is an expression in which a bare word, several words or a quoted text stand for "the
 * body contains this text": `timeout and status_code >= 500`.
 */
export function filterOf(query: string): QueryFilter {
  const runs = runsOf(tokensOf(query));
  const [only] = runs;
  if (only === undefined) return { queryOffset: (offset) => offset };
  const pieces = runs.length === 1 && only.isBare ? piecesOf(query, only.tokens) : [];
  const [text] = pieces;
  const isWhole = query.slice(0, only.start).trim() === '' && query.slice(only.end).trim() === '';
  if (text !== undefined && pieces.length === 1 && isWhole) return { text, queryOffset: () => only.start };
  return expressionOf(query, runs);
}

interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

function expressionOf(query: string, runs: readonly Run[]): QueryFilter {
  const replacements: Replacement[] = [];
  let where = '';
  let at = 0;
  for (const run of runs.filter(({ isBare }) => isBare)) {
    where += withSmallConnectives(query, at, run.start);
    const from = where.length;
    where += bodyCondition(piecesOf(query, run.tokens));
    replacements.push({ from, to: where.length, start: run.start, end: run.end });
    at = run.end;
  }
  where += withSmallConnectives(query, at, query.length);
  return { where, queryOffset: (offset) => offsetIn(offset, replacements) };
}

function offsetIn(offset: number, replacements: readonly Replacement[]): number {
  let shift = 0;
  for (const { from, to, start, end } of replacements) {
    if (offset < from) break;
    if (offset < to) return start;
    shift = end - to;
  }
  return offset + shift;
}

/** Both have the same length: offsets stay. */
function withSmallConnectives(query: string, start: number, end: number): string {
  let text = query.slice(start, end);
  for (const token of tokensOf(query)) {
    if (token.kind !== 'connective' || token.start < start || token.end > end) continue;
    text = text.slice(0, token.start - start) + token.text.toLowerCase() + text.slice(token.end - start);
  }
  return text;
}

function bodyCondition(pieces: readonly string[]): string {
  const conditions = pieces.map((piece) => `body contains* ${JSON.stringify(piece)}`);
  return conditions.length === 1 ? (conditions[0] ?? '') : `(${conditions.join(' and ')})`;
}

/** Words beside each other are one text; a quoted text is one of its own. */
function piecesOf(query: string, tokens: readonly Token[]): readonly string[] {
  const pieces: string[] = [];
  let words: Token[] = [];
  const flush = () => {
    const [first, last] = [words[0], words.at(-1)];
    if (first !== undefined && last !== undefined) pieces.push(query.slice(first.start, last.end));
    words = [];
  };
  for (const token of tokens) {
    if (token.kind !== 'string') {
      words.push(token);
      continue;
    }
    flush();
    pieces.push(unquoted(token.text));
  }
  flush();
  return pieces.filter((piece) => piece !== '');
}

/** The value of a text in single or double quotes with the escapes of JSON; an unfinished one ends at the end. */
export function unquoted(text: string): string {
  const quote = text[0] ?? '"';
  const inner = text.length > 1 && text.endsWith(quote) ? text.slice(1, -1) : text.slice(1);
  const json = inner.replace(/\\'/g, "'").replace(/(\\.)|"/gs, (_, escaped: string) => escaped ?? '\\"');
  try {
    return JSON.parse(`"${json}"`) as string;
  } catch {
    return inner;
  }
}

export interface Run {
  readonly tokens: readonly Token[];
  readonly start: number;
  readonly end: number;
  /** Only words and quoted texts: a text to find. */
  readonly isBare: boolean;
}

/** The terms between connectives and grouping parentheses. */
function runsOf(tokens: readonly Token[]): readonly Run[] {
  const runs: Run[] = [];
  let current: Token[] = [];
  let depth = 0;
  const close = () => {
    const [first, last] = [current[0], current.at(-1)];
    if (first !== undefined && last !== undefined) {
      runs.push({ tokens: current, start: first.start, end: last.end, isBare: isBare(current) });
    }
    current = [];
  };
  for (const token of tokens) {
    if (depth === 0 && token.kind === 'open' && !isArguments(current.at(-1), token)) close();
    else if (depth === 0 && (token.kind === 'close' || token.kind === 'connective')) close();
    else {
      current.push(token);
      if (token.kind === 'open') depth++;
      if (token.kind === 'close') depth--;
    }
  }
  close();
  return runs;
}

/** The parenthesis of `in (1, 2)`, `cidr("...")`, `section(url.path)`. */
function isArguments(before: Token | undefined, open: Token): boolean {
  if (before === undefined) return false;
  return before.kind === 'operator' || (before.kind === 'word' && before.end === open.start);
}

function isBare(tokens: readonly Token[]): boolean {
  if (tokens.length === 1 && /^(?:true|false)$/.test(tokens[0]?.text ?? '')) return false;
  return tokens.every(({ kind }) => kind === 'word' || kind === 'string' || kind === 'comma');
}
