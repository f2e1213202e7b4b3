import { storable } from '../formats/record-columns.ts';
import { compilePattern } from '../patterns/compile-pattern.ts';
import { PatternError } from '../patterns/pattern-error.ts';
import { nearestName } from '../runtime/configuration/unknown-variables.ts';
import type { Expression, Ordering, ValueTest } from './expression.ts';
import { ExpressionError } from './expression-error.ts';
import type { GroupUse } from './group-use.ts';
import { type Property, PropertyError, parseProperty } from './property.ts';
import { checkLiteral, checkRange } from './strict-literal.ts';
import {
  comparedWith,
  equalTo,
  inNetworks,
  type Literal,
  textTest,
  ValueError,
  within,
} from './value-test.ts';

/**
 * Parses and checks an expression. `not` binds more than `and`, `and` more than `or`.
 *
 *     expression   or
 *     or           and { "or" and }
 *     and          not { "and" not }
 *     not          "not" not | "(" expression ")" | "exists" property | "true" | "false" | test
 *     test         property comparison
 *                | literal ["not"] "in" property                       any value of the property is this one
 *                | "group" "(" text ")"                                the expression of a log group
 *     comparison   ("==" | "=" | "!=" | "<" | "<=" | ">" | ">=") literal
 *                | ["not"] "in" ( "(" literal { "," literal } ")" | literal ".." literal | "cidr" "(" ... ")" )
 *                | ("~" | "~*" | "!~" | "!~*") pattern                 a regular expression; *: ignores case
 *                | ["not"] ("contains" | "contains*" | "starts_with" | "ends_with") literal
 *     property     status_code, http.request.method, order.items[0].id, ['any name'], [any.name], section(url.path)
 *     literal      "text" | 'text' | number | time | word
 *
 * `onGroup`: called for each `group("id")`, which is true in the result; absent: it is an error. The caller
 * replaces groups by their expressions before (`log-groups.ts`).
 *
 * Throws ExpressionError.
 */
export function parseExpression(text: string, onGroup?: (use: GroupUse) => void): Expression {
  if (text.length > MAX_EXPRESSION) {
    throw new ExpressionError(
      `an expression has at most ${MAX_EXPRESSION} characters, got ${text.length}`,
      text,
      0,
    );
  }
  return new Parser(text, 0, { onGroup }).parse();
}

/**
 * Parses one term (a test, `exists`, `true` or `false`) that begins at `begin` of a longer text, such as a
 * condition in a filter. Throws ExpressionError, with the place in the whole text.
 */
export function parseTermAt(text: string, begin: number, aliases?: NameAliases): Parsed<Expression> {
  return new Parser(text, begin, { aliases }).parseTerm();
}

/** The same for a property. */
export function parsePropertyAt(text: string, begin: number, aliases?: NameAliases): Parsed<Property> {
  return new Parser(text, begin, { aliases }).parseProperty();
}

/** Other names of properties. */
export type NameAliases = ReadonlyMap<string, string>;

export interface Parsed<Value> {
  readonly value: Value;
  /** The offset after it. */
  readonly end: number;
}

export const MAX_EXPRESSION = 8192;
const MAX_DEPTH = 50;
const MAX_TERMS = 200;

const WORD = /[A-Za-z_!][A-Za-z_]*\*?/y;
const NAME = /[\p{L}_@$][\p{L}\p{N}_@$/-]*(?:\.[\p{L}\p{N}_@$/-]+)*/uy;
const BRACKETS = /(?:\[(?:\d{1,9}|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\])+/sy;
const PLAIN_BRACKETS = /\[\s*([\p{L}_@$][^\]'"]*?)\s*\]/uy;
const DOT_NAME = /(?:\.[\p{L}\p{N}_@$/-]+)+/uy;
const STRING = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/sy;
const NUMBER = /-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?(?=\.\.|[\s(),{};]|$)/y;
const BARE = /[^\s(),"'[\]{};=<>~!]+?(?=\.\.|[\s(),\]{};]|$)/y;
const OPERATORS = ['!~*', '!~', '~*', '~', '==', '!=', '<=', '>=', '=', '<', '>'] as const;
const WORDS = ['in', 'not', 'contains', 'contains*', 'starts_with', 'ends_with', 'notin'];
const RESERVED = new Set(['and', 'or', 'not', 'in', 'exists']);

interface ParserOptions {
  readonly aliases?: NameAliases | undefined;
  readonly onGroup?: ((use: GroupUse) => void) | undefined;
}

class Parser {
  readonly #text: string;
  readonly #options: ParserOptions;
  #at: number;
  readonly #isStrict: boolean;
  #depth = 0;
  #terms = 0;

  constructor(text: string, begin: number, options: ParserOptions) {
    this.#text = text;
    this.#at = begin;
    this.#options = options;
    // Filters have names of their own, and no earlier searches to accept.
    this.#isStrict = options.aliases !== undefined;
  }

  #strict(property: Property, literals: readonly Literal[]): void {
    if (this.#isStrict) for (const literal of literals) checkLiteral(property, literal);
  }

  parseTerm(): Parsed<Expression> {
    this.#skip();
    return { value: this.#term(), end: this.#at };
  }

  parseProperty(): Parsed<Property> {
    return { value: this.#property(), end: this.#at };
  }

  parse(): Expression {
    const expression = this.#or();
    this.#skip();
    if (this.#at < this.#text.length) throw this.#expected('and, or, or the end');
    return expression;
  }

  #or(): Expression {
    if (++this.#depth > MAX_DEPTH) throw this.#error(`parentheses are nested more than ${MAX_DEPTH} times`);
    const terms = [this.#and()];
    while (this.#word('or') || this.#symbol('||')) terms.push(this.#and());
    this.#depth--;
    return joined('or', terms);
  }

  #and(): Expression {
    const terms = [this.#not()];
    while (this.#word('and') || this.#symbol('&&')) terms.push(this.#not());
    return joined('and', terms);
  }

  #not(): Expression {
    if (this.#word('not')) {
      if (++this.#depth > MAX_DEPTH) throw this.#error(`not is nested more than ${MAX_DEPTH} times`);
      const term = this.#not();
      this.#depth--;
      return { kind: 'not', term };
    }
    if (this.#symbol('(')) {
      const inner = this.#or();
      if (!this.#symbol(')')) throw this.#expected(')');
      return inner;
    }
    if (++this.#terms > MAX_TERMS) throw this.#error(`an expression has at most ${MAX_TERMS} terms`);
    return this.#term();
  }

  #term(): Expression {
    const begin = this.#at;
    if (this.#word('exists')) {
      const isCall = this.#symbol('(');
      const property = this.#property();
      if (isCall && !this.#symbol(')')) throw this.#expected(')');
      return { kind: 'exists', property };
    }
    const group = this.#group();
    if (group !== undefined) return group;
    const constant = this.#word('true') ? true : this.#word('false') ? false : undefined;
    if (constant !== undefined && !this.#looksAtComparison()) return { kind: 'constant', value: constant };
    if (constant !== undefined) this.#at = begin;
    this.#skip();
    return /['"]/.test(this.#text[this.#at] ?? '') ? this.#literalIn() : this.#test();
  }

  /** `group("id")`; undefined: it is another term, such as a test of the property `group`. */
  #group(): Expression | undefined {
    this.#skip();
    const begin = this.#at;
    if (!this.#word('group') || !this.#symbol('(')) {
      this.#at = begin;
      return undefined;
    }
    const { onGroup } = this.#options;
    if (onGroup === undefined)
      throw this.#error('a log group can be used in searches, metrics and alerts only', begin);
    this.#skip();
    const idOffset = this.#at;
    const { text: id } = this.#literal();
    if (!this.#symbol(')')) throw this.#expected(')');
    onGroup({ id, offset: begin, end: this.#at, idOffset });
    return { kind: 'constant', value: true };
  }

  #looksAtComparison(): boolean {
    this.#skip();
    return OPERATORS.some((each) => this.#text.startsWith(each, this.#at));
  }

  /** `"x" in tags` */
  #literalIn(): Expression {
    const begin = this.#at;
    const literal = this.#literal();
    const isNegated = this.#word('not');
    const isOther = !isNegated && this.#word('notin');
    if (!isOther && !this.#word('in')) throw this.#error('expected in and a property after a text', begin);
    const property = this.#property();
    const found = this.#checked(begin, () => test(property, equalTo(property, [literal])));
    return isNegated || isOther ? { kind: 'not', term: found } : found;
  }

  #test(): Expression {
    const property = this.#property();
    this.#skip();
    const begin = this.#at;
    const operator = OPERATORS.find((each) => this.#symbol(each));
    if (operator !== undefined) return this.#compared(property, operator, begin);
    const isNegated = this.#word('not');
    const word = this.#nextWord();
    const negated = isNegated || word === 'notin';
    const found = this.#worded(property, word === 'notin' ? 'in' : word, begin);
    return negated ? { kind: 'not', term: found } : found;
  }

  #compared(property: Property, operator: (typeof OPERATORS)[number], begin: number): Expression {
    if (operator.includes('~')) {
      const found = this.#matches(property, operator.endsWith('*') ? 'i' : '');
      return operator.startsWith('!') ? { kind: 'not', term: found } : found;
    }
    this.#skip();
    const at = this.#at;
    const literal = this.#literal();
    this.#checked(at, () => this.#strict(property, [literal]));
    const made = this.#checked(begin, () =>
      operator === '==' || operator === '=' || operator === '!='
        ? equalTo(property, [literal])
        : comparedWith(property, operator as Ordering, literal),
    );
    return operator === '!=' ? { kind: 'not', term: test(property, made) } : test(property, made);
  }

  #worded(property: Property, word: string | undefined, begin: number): Expression {
    switch (word) {
      case 'in':
        return test(property, this.#in(property, begin));
      case 'contains':
      case 'starts_with':
      case 'ends_with': {
        const { text } = this.#literal();
        return test(
          property,
          this.#checked(begin, () => textTest(property, { kind: word, text: storable(text) })),
        );
      }
      case 'contains*': {
        const source = this.#literal().text.replaceAll(/[^A-Za-z0-9\s]/gu, '\\$&');
        return test(
          property,
          this.#checked(begin, () =>
            textTest(property, { kind: 'matches', pattern: compilePattern(source, 'i') }),
          ),
        );
      }
      case undefined:
      default: {
        const near = word === undefined ? undefined : nearestName(word, WORDS);
        const hint = near === undefined ? '' : `; did you mean ${near}?`;
        throw this.#error(
          `expected a comparison (==, !=, <, <=, >, >=, ~, in, contains, ...) after ${property.name}${hint}`,
          begin,
          near === undefined ? [] : [near],
        );
      }
    }
  }

  #in(property: Property, begin: number): ValueTest {
    if (this.#word('cidr')) {
      const networks = this.#list('(', ')').map(({ text }) => text);
      return this.#checked(begin, () => inNetworks(property, networks));
    }
    this.#skip();
    const open = this.#text[this.#at];
    if (open === '(' || open === '[') {
      const literals = this.#list(open, open === '(' ? ')' : ']');
      this.#checked(begin, () => this.#strict(property, literals));
      return this.#checked(begin, () => equalTo(property, literals));
    }
    const from = this.#literal();
    if (!this.#symbol('..')) throw this.#expected('(value, ...), from..to or cidr(...) after in');
    const to = this.#literal();
    this.#checked(begin, () => this.#strict(property, [from, to]));
    return this.#checked(begin, () => {
      const range = within(property, from, to);
      if (this.#isStrict) checkRange(property, from, to);
      return range;
    });
  }

  #list(open: string, close: string): readonly Literal[] {
    if (!this.#symbol(open)) throw this.#expected(open);
    const literals = [this.#literal()];
    while (this.#symbol(',')) literals.push(this.#literal());
    if (!this.#symbol(close)) throw this.#expected(`, or ${close}`);
    return literals;
  }

  #matches(property: Property, flags: '' | 'i'): Expression {
    this.#skip();
    const begin = this.#at;
    const found = this.#match(STRING);
    if (found === undefined) throw this.#expected('a regular expression in quotes');
    // A backslash belongs to the regular expression, except before the quote.
    const source = (found[1] ?? found[2] ?? '').replaceAll(/\\(.)/gs, (all, next: string) =>
      next === "'" || next === '"' ? next : all,
    );
    return this.#checked(begin, () =>
      test(property, textTest(property, { kind: 'matches', pattern: compilePattern(source, flags) })),
    );
  }

  #literal(): Literal {
    this.#skip();
    const begin = this.#at;
    const quoted = this.#match(STRING);
    if (quoted !== undefined)
      return { kind: 'text', text: this.#unescaped(quoted[1] ?? quoted[2] ?? '', begin) };
    const number = this.#match(NUMBER)?.[0];
    if (number !== undefined && Number.isFinite(Number(number)))
      return { kind: 'number', number: Number(number), text: number };
    const bare = this.#match(BARE)?.[0];
    if (bare === undefined || RESERVED.has(bare)) {
      this.#at = begin;
      throw this.#expected('a value such as "text", 500 or 2026-01-31');
    }
    return { kind: 'text', text: bare, isBare: true };
  }

  #unescaped(inner: string, begin: number): string {
    const json = inner.replaceAll(/\\.|"/gs, (each) => (each === '"' ? '\\"' : each === "\\'" ? "'" : each));
    try {
      return JSON.parse(
        `"${json.replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r')}"`,
      ) as string;
    } catch {
      throw this.#error('expected a text with the escapes of JSON; write \\\\ for a backslash', begin);
    }
  }

  #property(): Property {
    this.#skip();
    const begin = this.#at;
    const name = this.#propertyText();
    if (name === undefined || RESERVED.has(name)) {
      this.#at = begin;
      throw this.#expected("a property such as status_code, http.request.method or ['any name']");
    }
    const meant = this.#options.aliases?.get(name) ?? name;
    return this.#checked(begin, () => resourceProperty(meant) ?? parseProperty(meant));
  }

  #propertyText(): string | undefined {
    const begin = this.#at;
    const plain = this.#match(PLAIN_BRACKETS)?.[1];
    if (plain !== undefined) return `attributes.${plain}`;
    if (this.#match(BRACKETS) !== undefined) return this.#text.slice(begin, this.#at);
    if (this.#match(NAME) === undefined) return undefined;
    if (this.#text.slice(begin, this.#at) === 'section' && this.#symbol('(')) {
      const end = this.#text.indexOf(')', this.#at);
      if (end < 0) throw this.#expected(')');
      this.#at = end + 1;
      return this.#text.slice(begin, this.#at);
    }
    return this.#nested(begin);
  }

  /** `order.items[0].id` is `order.items['0']['id']`. */
  #nested(begin: number): string {
    let text = this.#text.slice(begin, this.#at);
    for (;;) {
      const brackets = this.#match(BRACKETS)?.[0];
      if (brackets === undefined) return text;
      text += brackets;
      const keys = this.#match(DOT_NAME)?.[0].slice(1).split('.') ?? [];
      text += keys.map((key) => `['${key}']`).join('');
    }
  }

  #checked<Made>(offset: number, make: () => Made): Made {
    try {
      return make();
    } catch (error) {
      if (error instanceof ValueError || error instanceof PropertyError)
        throw this.#error(error.message, offset);
      if (error instanceof PatternError)
        throw this.#error(`invalid regular expression: ${error.message}`, offset + 1 + error.offset);
      throw error;
    }
  }

  #word(word: string): boolean {
    this.#skip();
    const begin = this.#at;
    if (
      this.#match(WORD)?.[0].toLowerCase() === word &&
      !/[\p{L}\p{N}_.@$/-]/u.test(this.#text[this.#at] ?? '')
    )
      return true;
    this.#at = begin;
    return false;
  }

  #nextWord(): string | undefined {
    this.#skip();
    return this.#match(WORD)?.[0].toLowerCase();
  }

  #symbol(symbol: string): boolean {
    this.#skip();
    if (!this.#text.startsWith(symbol, this.#at)) return false;
    this.#at += symbol.length;
    return true;
  }

  #skip(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #match(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#at += found[0].length;
    return found;
  }

  #expected(what: string): ExpressionError {
    const rest = this.#text.slice(this.#at).trimStart();
    const found =
      rest === '' ? 'the end' : JSON.stringify(rest.length > 20 ? `${rest.slice(0, 20)}...` : rest);
    return this.#error(`expected ${what}, found ${found}`);
  }

  #error(reason: string, offset = this.#at, nearest: readonly string[] = []): ExpressionError {
    return new ExpressionError(reason, this.#text, Math.min(offset, this.#text.length), nearest);
  }
}

const RESOURCE = 'resource.';

function resourceProperty(name: string): Property | undefined {
  if (!name.startsWith(RESOURCE) || name.includes('[')) return undefined;
  return { kind: 'attribute', name, key: name.slice(RESOURCE.length), isResource: true };
}

function joined(kind: 'and' | 'or', terms: readonly Expression[]): Expression {
  const [only] = terms;
  return terms.length === 1 && only !== undefined ? only : { kind, terms };
}

function test(property: Property, made: ValueTest): Expression {
  return { kind: 'test', property, test: made };
}
