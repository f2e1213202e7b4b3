export type TokenKind = 'word' | 'string' | 'operator' | 'connective' | 'open' | 'close' | 'comma';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const STRING = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?/sy;
const OPERATOR = /!~\*|!~|~\*|~|==|!=|<=|>=|=|<|>/y;
const CONNECTIVE = /&&|\|\|/y;
const WORD = /(?:[^\s()"',=<>~![\]]|!(?![=~])|\[(?:[^\]"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\]?|\])+/sy;
const OPERATOR_WORDS = new Set(['in', 'contains', 'contains*', 'starts_with', 'ends_with', 'exists']);
const CONNECTIVE_WORDS = new Set(['and', 'or', 'not']);
const SINGLE: Readonly<Record<string, TokenKind>> = { '(': 'open', ')': 'close', ',': 'comma' };

/** The tokens of a query. It never fails: an unfinished text ends at the end of the query. */
export function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    const token = tokenAt(query, at);
    if (token === undefined) {
      at++;
      continue;
    }
    tokens.push(token);
    at = token.end;
  }
  return tokens.map((token, index) =>
    isNegatedOperator(tokens, index) ? { ...token, kind: 'operator' } : token,
  );
}

function tokenAt(query: string, start: number): Token | undefined {
  const character = query[start] ?? '';
  if (/\s/.test(character)) return undefined;
  const single = SINGLE[character];
  if (single !== undefined) return { kind: single, text: character, start, end: start + 1 };
  for (const [kind, pattern] of [
    ['string', STRING],
    ['operator', OPERATOR],
    ['connective', CONNECTIVE],
    ['word', WORD],
  ] as const) {
    pattern.lastIndex = start;
    const text = pattern.exec(query)?.[0];
    if (text === undefined || text === '') continue;
    return { kind: kind === 'word' ? kindOfWord(text) : kind, text, start, end: start + text.length };
  }
  return undefined;
}

/** Capital letters are common in other query languages; `where` gets small ones. */
function kindOfWord(text: string): TokenKind {
  if (OPERATOR_WORDS.has(text)) return 'operator';
  return CONNECTIVE_WORDS.has(text) || /^(?:AND|OR|NOT)$/.test(text) ? 'connective' : 'word';
}

/** The `not` of `a not in (1, 2)`. */
function isNegatedOperator(tokens: readonly Token[], index: number): boolean {
  const [token, next] = [tokens[index], tokens[index + 1]];
  const isOperatorNext = next !== undefined && next.kind === 'operator' && /^[a-df-z]/.test(next.text);
  return token?.text.toLowerCase() === 'not' && index > 0 && isOperatorNext;
}
