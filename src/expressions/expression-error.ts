/** The text is not an expression. The message names what is expected, for a person, with line and column. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly line: number;
  readonly column: number;
  /** The message without the place. */
  readonly reason: string;
  /** The place of the problem in the text, in UTF-16 units. */
  readonly offset: number;
  /** The length of the word or sign there; 0 at the end of the text. */
  readonly length: number;
  /** Words that are meant perhaps, the nearest first. */
  readonly nearest: readonly string[];

  constructor(reason: string, text: string, offset: number, nearest: readonly string[] = []) {
    const before = text.slice(0, offset).split('\n');
    const line = before.length;
    const column = (before.at(-1)?.length ?? 0) + 1;
    super(`${reason} (line ${line}, column ${column})`);
    this.reason = reason;
    this.line = line;
    this.column = column;
    const blanks = /^\s*/.exec(text.slice(offset))?.[0].length ?? 0;
    this.offset = Math.min(offset + blanks, text.length);
    this.length = TOKEN.exec(text.slice(this.offset))?.[0].length ?? 0;
    this.nearest = nearest;
  }
}

/** A text in quotes, a word or number, an operator, or any other character. */
const TOKEN = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\p{L}\p{N}_.$@/-]+\*?|[=<>~!]+\*?|.)/su;
