/** A piece of text that a person reads: a comment, a string, or a paragraph. White space is one blank. */
export interface Prose {
  readonly kind: 'comment' | 'string' | 'paragraph';
  readonly line: number;
  readonly text: string;
}

interface Token {
  readonly kind: 'line comment' | 'block comment' | 'string';
  readonly start: number;
  readonly end: number;
}

/** The comments and string literals of TypeScript source text; consecutive line comments are one comment. */
export function sourceProse(source: string): Prose[] {
  const lineOf = lineNumbers(source);
  const found: (Prose & { readonly lastLine: number; readonly isLineComment: boolean })[] = [];
  for (const token of tokens(source)) {
    const line = lineOf(token.start);
    const isLineComment = token.kind === 'line comment';
    const before = found.at(-1);
    const text = textOf(source.slice(token.start, token.end), token.kind);
    if (isLineComment && before?.isLineComment === true && before.lastLine === line - 1) {
      found[found.length - 1] = { ...before, text: `${before.text} ${text}`, lastLine: line };
      continue;
    }
    const kind = token.kind === 'string' ? 'string' : 'comment';
    found.push({ kind, line, text, lastLine: lineOf(token.end), isLineComment });
  }
  return found.map(({ kind, line, text }) => ({ kind, line, text }));
}

const TITLE =
  /\b(?:it|test|describe)(?:\.\w+(?:\((?:[^()]|\([^()]*\))*\))?)*\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;

/** The titles of tests and of their groups. */
export function testTitles(source: string): Prose[] {
  const lineOf = lineNumbers(source);
  return [...source.matchAll(TITLE)].map((match) => {
    const [, , title = ''] = match;
    return { kind: 'string', line: lineOf(match.index), text: textOf(`'${title}'`, 'string') };
  });
}

/** The paragraphs, list items and table cells of Markdown, with the text of code blocks. */
export function markdownProse(page: string): Prose[] {
  const found: Prose[] = [];
  let paragraph: { line: number; lines: string[] } | undefined;
  const end = () => {
    if (paragraph !== undefined) add(found, paragraph.line, paragraph.lines.join(' '));
    paragraph = undefined;
  };
  for (const [index, line] of page.split('\n').entries()) {
    const cells = line.trimStart().startsWith('|') ? line.split('|') : undefined;
    if (cells !== undefined || line.trim() === '' || /^(?:\s*(?:[-*]|\d+\.) |#)/.test(line)) end();
    if (cells !== undefined) for (const cell of cells) add(found, index + 1, cell);
    else if (line.trim() !== '') {
      paragraph ??= { line: index + 1, lines: [] };
      paragraph.lines.push(line.replace(/^\s*(?:[-*]|\d+\.|#+) /, ''));
    }
  }
  end();
  return found;
}

function add(found: Prose[], line: number, text: string): void {
  const plain = text.replace(/\s+/g, ' ').trim();
  if (plain !== '') found.push({ kind: 'paragraph', line, text: plain });
}

function textOf(raw: string, kind: Token['kind']): string {
  const text =
    kind === 'string'
      ? raw
          .slice(1, -1)
          .replace(/\$\{[^}]*\}/g, '…')
          .replace(/\\n/g, ' ')
      : raw.replace(/^\/\*+|\*+\/$|^\/\/+/g, '').replace(/^\s*\* ?/gm, '');
  // A blank line in a comment ends a paragraph, and so a sentence.
  return text
    .replace(/\n\s*\n/g, ' ¶ ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** A regular expression may follow these; a division follows anything else. */
const BEFORE_EXPRESSION = /(?:^|[=(,:[!&|?{};+\-*%<>~^]|\breturn|\btypeof|\bcase)\s*$/;

function* tokens(source: string): Iterable<Token> {
  let at = 0;
  while (at < source.length) {
    const rest = source.slice(at, at + 2);
    const char = rest.charAt(0);
    if (rest === '//') {
      const end = endOf(source, '\n', at);
      yield { kind: 'line comment', start: at, end };
      at = end;
    } else if (rest === '/*') {
      const end = endOf(source, '*/', at + 2) + 2;
      yield { kind: 'block comment', start: at, end };
      at = end;
    } else if (char === "'" || char === '"' || char === '`') {
      const end = endOfString(source, at, char);
      yield { kind: 'string', start: at, end };
      at = end;
    } else if (char === '/' && BEFORE_EXPRESSION.test(source.slice(Math.max(0, at - 20), at))) {
      at = endOfExpression(source, at);
    } else at++;
  }
}

function endOf(source: string, text: string, from: number): number {
  const at = source.indexOf(text, from);
  return at < 0 ? source.length : at;
}

/** Embedded expressions belong to a template. */
function endOfString(source: string, start: number, quote: string): number {
  let depth = 0;
  for (let at = start + 1; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === '\\') at++;
    else if (quote === '`' && char === '$' && source.charAt(at + 1) === '{') depth++;
    else if (depth > 0 && char === '}') depth--;
    else if (depth === 0 && char === quote) return at + 1;
  }
  return source.length;
}

function endOfExpression(source: string, start: number): number {
  let isInClass = false;
  for (let at = start + 1; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === '\\') at++;
    else if (char === '\n') return start + 1;
    else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if (char === '/' && !isInClass) return at + 1;
  }
  return start + 1;
}

function lineNumbers(source: string): (offset: number) => number {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let line = starts.findLastIndex((start) => start <= offset);
    if (line < 0) line = 0;
    return line + 1;
  };
}
