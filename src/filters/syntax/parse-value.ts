import { ExpressionError } from '../../expressions/expression-error.ts';
import { parsePropertyAt } from '../../expressions/parse-expression.ts';
import { FilterProblemError } from '../filter-problem.ts';
import type { FilterCursor } from './filter-cursor.ts';
import type { CallNode, PropertyNode, TextNode, ValueNode } from './filter-node.ts';
import { PYLOGGR_NAMES } from './pyloggr-names.ts';

const STRING = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/sy;
const NUMBER = /-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?(?![\w.])/y;
const LIKE_A_NUMBER = /[+-]?\.?\d/y;
const CALL_NAME = /([A-Za-z_]\w*)\s*(?:\(|\{\s*['"[])/y;
const ARGUMENT_NAME = /([A-Za-z_]\w*)\s*(?:=(?!=)|:(?!=))/y;
const MAX_PARTS = 100;

/** One value, or several joined with `+`. Throws FilterProblemError. */
export function parseValue(cursor: FilterCursor): ValueNode {
  const [first, ...others] = joined(cursor);
  if (first === undefined) throw cursor.expected('a value');
  return others.length === 0 ? first : { kind: 'join', offset: first.offset, parts: [first, ...others] };
}

function joined(cursor: FilterCursor): readonly ValueNode[] {
  const parts = [parsePart(cursor)];
  while (cursor.looksAt(PLUS) && cursor.symbol('+')) {
    parts.push(parsePart(cursor));
    if (parts.length > MAX_PARTS) throw cursor.problem(`a value has at most ${MAX_PARTS} parts`);
  }
  return parts;
}

const PLUS = /\+(?!=)/y;

function parsePart(cursor: FilterCursor): ValueNode {
  cursor.skip();
  const offset = cursor.at;
  const text = textAt(cursor);
  if (text !== undefined) return text;
  const number = cursor.match(NUMBER)?.[0];
  if (number !== undefined) return { kind: 'constant', offset, value: Number(number) };
  if (cursor.word('true')) return { kind: 'constant', offset, value: true };
  if (cursor.word('false')) return { kind: 'constant', offset, value: false };
  if (looksAtCall(cursor)) return { kind: 'call', offset, call: parseCall(cursor) };
  if (cursor.looksAt(LIKE_A_NUMBER))
    throw cursor.expected('a number of at most 15 digits such as 42 or -1.5, or a text in quotes');
  return parsePropertyNode(cursor);
}

/** A text in quotes; undefined: there is none. */
export function textAt(cursor: FilterCursor): TextNode | undefined {
  cursor.skip();
  const offset = cursor.at;
  const found = cursor.match(STRING);
  if (found === undefined) return undefined;
  const raw = found[1] ?? found[2] ?? '';
  return { kind: 'text', offset, text: unescaped(raw), raw };
}

export function parseText(cursor: FilterCursor, what: string): TextNode {
  const text = textAt(cursor);
  if (text === undefined) throw cursor.expected(`${what} in quotes`);
  return text;
}

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs;
const SIMPLE: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

const ESCAPED = /\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/gs;

/** Of the text of a value. In a regular expression, `\u` and `\x` belong to it. Throws FilterProblemError. */
export function checkEscapes({ raw, offset }: TextNode): void {
  for (const { 1: letter = '', index } of raw.matchAll(ESCAPED)) {
    if (letter !== 'u' && letter !== 'x') continue;
    const digits = letter === 'u' ? 4 : 2;
    throw new FilterProblemError(
      `expected ${digits} hexadecimal digits after \\${letter}; write \\\\${letter} for a backslash`,
      offset + 1 + index,
    );
  }
}

/** Any other backslash is a character of the text. */
function unescaped(raw: string): string {
  if (!raw.includes('\\')) return raw;
  return raw.replace(ESCAPE, (all, unicode: string, hex: string, simple: string) =>
    simple === undefined
      ? String.fromCharCode(Number.parseInt(unicode ?? hex, 16))
      : Object.hasOwn(SIMPLE, simple)
        ? (SIMPLE[simple] ?? all)
        : all,
  );
}

/** Calls that are conditions on a property, and belong to expressions. */
const NO_CALLS = new Set(['exists', 'section', 'not', 'and', 'or', 'in', 'true', 'false']);

export function looksAtCall(cursor: FilterCursor): boolean {
  const begin = cursor.at;
  const name = cursor.match(CALL_NAME)?.[1];
  cursor.at = begin;
  return name !== undefined && !NO_CALLS.has(name);
}

/** Pyloggr permits braces around the arguments of a call. */
export function parseCall(cursor: FilterCursor): CallNode {
  cursor.skip();
  const offset = cursor.at;
  const name = cursor.match(/[A-Za-z_]\w*/y)?.[0] ?? '';
  const close = cursor.symbol('(') ? ')' : '}';
  if (close === '}') cursor.expect('{');
  return cursor.nested(() => {
    const values: ValueNode[] = [];
    const named: CallNode['named'][number][] = [];
    while (!cursor.symbol(close)) {
      if (values.length + named.length > 0 && !cursor.symbol(',')) throw cursor.expected(`, or ${close}`);
      cursor.skip();
      const at = cursor.at;
      const argument = cursor.match(ARGUMENT_NAME)?.[1];
      if (argument === undefined) values.push(parseValue(cursor));
      else named.push({ name: argument, offset: at, value: parseValue(cursor) });
      if (values.length + named.length > MAX_PARTS)
        throw cursor.problem(`a call has at most ${MAX_PARTS} arguments`);
    }
    return { name, offset, values, named };
  });
}

export function parsePropertyNode(cursor: FilterCursor): PropertyNode {
  cursor.skip();
  const offset = cursor.at;
  const { value, end } = located(() => parsePropertyAt(cursor.text, offset, PYLOGGR_NAMES), cursor);
  cursor.at = end;
  return { kind: 'property', offset, name: cursor.text.slice(offset, end).trim(), property: value };
}

/** Converts an error of an expression, which has a place in the same text. */
export function located<Node>(read: () => Node, cursor: FilterCursor): Node {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const lines = cursor.text.split('\n').slice(0, error.line - 1);
    const offset = lines.reduce((sum, line) => sum + line.length + 1, 0) + error.column - 1;
    throw new FilterProblemError(error.reason, offset);
  }
}
