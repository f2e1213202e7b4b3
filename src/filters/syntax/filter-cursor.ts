import { FilterProblemError } from '../filter-problem.ts';

/** A place in the text of a filter, and what is read from there. */
export class FilterCursor {
  readonly text: string;
  at = 0;
  #depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Skips blanks, and comments: `#` to the end of the line. */
  skip(): void {
    BLANKS.lastIndex = this.at;
    BLANKS.test(this.text);
    this.at = BLANKS.lastIndex;
  }

  get isAtEnd(): boolean {
    this.skip();
    return this.at >= this.text.length;
  }

  looksAt(expression: RegExp): boolean {
    this.skip();
    expression.lastIndex = this.at;
    return expression.test(this.text);
  }

  match(expression: RegExp): RegExpExecArray | undefined {
    this.skip();
    expression.lastIndex = this.at;
    const found = expression.exec(this.text) ?? undefined;
    if (found !== undefined) this.at += found[0].length;
    return found;
  }

  symbol(symbol: string): boolean {
    this.skip();
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  /** A keyword in small letters, which is not the beginning of a longer name. */
  word(word: string): boolean {
    this.skip();
    const end = this.at + word.length;
    if (!this.text.startsWith(word, this.at) || NAME_PART.test(this.text[end] ?? '')) return false;
    this.at = end;
    return true;
  }

  expect(symbol: string): void {
    if (!this.symbol(symbol)) throw this.expected(symbol);
  }

  /** Reads with `read`, one level deeper. */
  nested<Node>(read: () => Node): Node {
    if (++this.#depth > MAX_DEPTH)
      throw this.problem(`blocks and calls are nested more than ${MAX_DEPTH} times`);
    const node = read();
    this.#depth--;
    return node;
  }

  expected(what: string): FilterProblemError {
    this.skip();
    const rest = this.text.slice(this.at, this.at + MAX_SHOWN + 1).split('\n', 1)[0] ?? '';
    const shown = rest.length > MAX_SHOWN ? `${rest.slice(0, MAX_SHOWN)}...` : rest;
    const found = this.at >= this.text.length ? 'the end' : JSON.stringify(shown);
    return this.problem(`expected ${what}, found ${found}`);
  }

  problem(reason: string, offset = this.at): FilterProblemError {
    return new FilterProblemError(reason, Math.min(offset, this.text.length));
  }
}

const BLANKS = /(?:\s|#[^\n]*)*/y;
const NAME_PART = /[\w.-]/;
const MAX_SHOWN = 24;
const MAX_DEPTH = 40;
