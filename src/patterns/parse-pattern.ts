import {
  ANY,
  BLANKS,
  type CodePoints,
  codePoint,
  codePointsOf,
  complement,
  DIGITS,
  foldCase,
  LINE_ENDS,
  rangeOf,
  WORD,
} from './code-points.ts';
import { PatternError } from './pattern-error.ts';
import { capturesIn, type FieldType, nestedCount, type PatternNode, sizeOf } from './pattern-node.ts';

/**
 * Parses a regular expression. Only constructs with a linear engine are accepted, and each has one meaning,
 * so that an expression matches the same texts here, in DuckDB and in PostgreSQL:
 *
 *     . ^ $ \A \z \b \B     a character other than a line end; the ends of the text, never of a line; ASCII words
 *     \d \w \s              0-9; letters, digits and _ of ASCII; blanks, also those of Unicode
 *     [a-z] [^a-z] [[:alpha:]]
 *     * + ? {n} {n,} {n,m}  followed by ? for the shortest match
 *     (...) (?:...) (?<name>...) (?P<name>...)     only groups with a name capture
 *     (?i) (?i:...) (?s)    ignores the case of A to Z; . also matches line ends
 *
 * Throws PatternError.
 */
export function parsePattern(source: string, options: ParsePatternOptions = {}): PatternNode {
  if (source.length > MAX_SOURCE) {
    throw new PatternError(`a pattern has at most ${MAX_SOURCE} characters, got ${source.length}`, 0);
  }
  const node = new Parser(source, options).parse();
  const size = sizeOf(node);
  if (size > MAX_SIZE) {
    throw new PatternError(
      'its counted repetitions are too large; write + or * instead of {n,m}, or use smaller counts',
      0,
    );
  }
  return node;
}

export interface ParsePatternOptions {
  /** Ignores the case of A to Z. */
  readonly ignoresCase?: boolean;
  /**
   * The parsed pattern of `%{NAME}`; throws PatternError for an unknown name. Absent: `%{` is ordinary text.
   */
  readonly patternNamed?: (name: string, offset: number) => PatternNode;
  /** Reads atomic groups and possessive repetitions as ordinary ones: their purpose is speed. */
  readonly relaxesAtomic?: boolean;
}

const MAX_SOURCE = 32 * 1024;
const MAX_SIZE = 10_000;
const MAX_COUNT = 1000;
const MAX_DEPTH = 100;

const LOOK_AROUND =
  'look-around ((?=...), (?!...), (?<=...), (?<!...)) cannot be tested in linear time; describe the lines that ' +
  'match instead: for lines that do not begin with a blank, ^\\S instead of ^(?!\\s)';
const BACK_REFERENCE =
  'back-references (\\1, \\k<name>) cannot be tested in linear time; write the repeated text out, or match less of the line';
const ATOMIC =
  'atomic groups and possessive repetitions are not needed here; write (?:...) instead of (?>...)';
const POSSESSIVE = 'possessive repetitions are not needed here; write one + less';
const REFERENCE = /%\{(\w+)(?::([^:}]*))?(?::(\w+))?\}/y;
const COUNT = /\{(\d+)(?:(,)(\d*))?\}/y;
const GROUP_NAME = /(?:\?P?<)([^>=!][^>]*)>/y;
const FLAGS = /\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/y;
const TYPES: ReadonlyMap<string, FieldType> = new Map([
  ['int', 'int'],
  ['integer', 'int'],
  ['long', 'int'],
  ['float', 'float'],
  ['double', 'float'],
  ['number', 'float'],
  ['bool', 'boolean'],
  ['boolean', 'boolean'],
  ['string', 'text'],
  ['text', 'text'],
]);
const CONTROL: ReadonlyMap<string, number> = new Map([
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['f', 0x0c],
  ['v', 0x0b],
  ['0', 0],
  ['a', 0x07],
  ['e', 0x1b],
]);
const POSIX: ReadonlyMap<string, CodePoints> = new Map<string, CodePoints>([
  ['alpha', [rangeOf('A', 'Z'), rangeOf('a', 'z')]],
  ['digit', DIGITS],
  ['alnum', [rangeOf('0', '9'), rangeOf('A', 'Z'), rangeOf('a', 'z')]],
  ['upper', [rangeOf('A', 'Z')]],
  ['lower', [rangeOf('a', 'z')]],
  ['space', [[0x09, 0x0d], rangeOf(' ', ' ')]],
  ['blank', [rangeOf('\t', '\t'), rangeOf(' ', ' ')]],
  ['punct', [rangeOf('!', '/'), rangeOf(':', '@'), rangeOf('[', '`'), rangeOf('{', '~')]],
  ['xdigit', [rangeOf('0', '9'), rangeOf('A', 'F'), rangeOf('a', 'f')]],
  ['word', WORD],
  [
    'cntrl',
    [
      [0, 0x1f],
      [0x7f, 0x7f],
    ],
  ],
  ['print', [[0x20, 0x7e]]],
  ['graph', [[0x21, 0x7e]]],
]);

interface Flags {
  readonly ignoresCase: boolean;
  readonly isDotAll: boolean;
}

class Parser {
  readonly #source: string;
  readonly #options: ParsePatternOptions;
  #at = 0;
  #depth = 0;
  #flags: Flags;

  constructor(source: string, options: ParsePatternOptions) {
    this.#source = source;
    this.#options = options;
    this.#flags = { ignoresCase: options.ignoresCase ?? false, isDotAll: false };
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#source.length) throw this.#error('Unmatched )');
    return node;
  }

  #choice(): PatternNode {
    if (++this.#depth > MAX_DEPTH) throw this.#error(`groups are nested more than ${MAX_DEPTH} times`);
    const flags = this.#flags;
    const nodes = [this.#sequence()];
    while (this.#accepts('|')) nodes.push(this.#sequence());
    this.#flags = flags;
    this.#depth--;
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'choice', nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    while (this.#at < this.#source.length && !this.#looksAt('|') && !this.#looksAt(')')) {
      const atom = this.#atom();
      if (atom !== undefined) nodes.push(this.#repeated(atom));
    }
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'sequence', nodes };
  }

  /** undefined: flags, which are no part of the tree. */
  #atom(): PatternNode | undefined {
    const begin = this.#at;
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#set(this.#class());
      case '.':
        return { kind: 'set', codePoints: this.#flags.isDotAll ? ANY : complement(LINE_ENDS) };
      case '^':
        return { kind: 'assertion', at: 'start' };
      case '$':
        return { kind: 'assertion', at: 'end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw this.#error('Nothing to repeat', begin);
      case '%':
        return this.#reference(begin) ?? this.#literal(character);
      default:
        return this.#literal(character);
    }
  }

  #literal(character: string): PatternNode {
    const point = codePoint(character);
    return this.#set([[point, point]]);
  }

  #set(codePoints: CodePoints): PatternNode {
    const set = codePointsOf(codePoints);
    return { kind: 'set', codePoints: this.#flags.ignoresCase ? foldCase(set) : set };
  }

  #reference(begin: number): PatternNode | undefined {
    const { patternNamed } = this.#options;
    if (patternNamed === undefined) return undefined;
    const found = this.#match(REFERENCE, begin);
    if (found === undefined) return undefined;
    const [, name = '', field, type] = found;
    const node = patternNamed(name, begin);
    if (field === undefined || field === '') return node;
    return { kind: 'capture', field: { name: fieldName(field), type: this.#type(type, begin) }, node };
  }

  #type(name: string | undefined, begin: number): FieldType {
    const type = name === undefined ? 'text' : TYPES.get(name);
    if (type !== undefined) return type;
    throw this.#error(`the type ${name} is not known; the types are int, float, boolean and text`, begin);
  }

  #group(): PatternNode | undefined {
    const begin = this.#at - 1;
    const name = this.#match(GROUP_NAME, this.#at)?.[1];
    if (name === undefined && this.#looksAt('?')) return this.#specialGroup(begin);
    const node = this.#choice();
    this.#close(begin);
    return name === undefined
      ? node
      : { kind: 'capture', field: { name: fieldName(name), type: 'text' }, node };
  }

  #specialGroup(begin: number): PatternNode | undefined {
    const rest = this.#source.slice(this.#at, this.#at + 3);
    if (/^\?<?[=!]/.test(rest)) throw this.#error(LOOK_AROUND, begin);
    if (rest.startsWith('?#')) return this.#comment(begin);
    if (rest.startsWith('?>')) {
      if (this.#options.relaxesAtomic !== true) throw this.#error(ATOMIC, begin);
      this.#at += 2;
      return this.#closed(begin);
    }
    const [, on = '', off = '', end] = this.#match(FLAGS, this.#at) ?? [];
    if (end === undefined) throw this.#error('Invalid group', begin);
    const flags = this.#flags;
    this.#flags = this.#changed(on, off, begin);
    if (end === ')') return undefined;
    const node = this.#closed(begin);
    this.#flags = flags;
    return node;
  }

  #closed(begin: number): PatternNode {
    const node = this.#choice();
    this.#close(begin);
    return node;
  }

  #comment(begin: number): undefined {
    const end = this.#source.indexOf(')', this.#at);
    if (end < 0) throw this.#error('Unterminated group', begin);
    this.#at = end + 1;
    return undefined;
  }

  #changed(on: string, off: string, begin: number): Flags {
    const other = Array.from(on + off).find((flag) => flag !== 'i' && flag !== 's');
    if (other === 'm')
      throw this.#error('(?m) is not supported; write (?:^|\\n) for the start of a line', begin);
    if (other !== undefined)
      throw this.#error(`the flag ${other} is not supported; the flags are i and s`, begin);
    const again = Array.from(on + off).find((flag, at, all) => all.indexOf(flag) !== at);
    if (again !== undefined) throw this.#error(`the flag ${again} is given twice`, begin);
    const now = (flag: string, before: boolean) => (on.includes(flag) || before) && !off.includes(flag);
    return { ignoresCase: now('i', this.#flags.ignoresCase), isDotAll: now('s', this.#flags.isDotAll) };
  }

  #close(begin: number): void {
    if (!this.#accepts(')')) throw this.#error('Unterminated group', begin);
  }

  #repeated(atom: PatternNode): PatternNode {
    const begin = this.#at;
    const range = this.#range();
    if (range === undefined) return atom;
    const [min, max] = range;
    if (min > max) throw this.#error('numbers out of order in {} quantifier', begin);
    if (max !== Number.POSITIVE_INFINITY && max > MAX_COUNT) {
      throw this.#error(`a counted repetition is at most ${MAX_COUNT}`, begin);
    }
    const isLazy = this.#accepts('?');
    if (!isLazy && this.#accepts('+') && this.#options.relaxesAtomic !== true) {
      throw this.#error(POSSESSIVE, begin);
    }
    const end = this.#at;
    if (atom.kind === 'assertion' || this.#range() !== undefined) throw this.#error('Nothing to repeat', end);
    const repeated = { kind: 'repetition', node: atom, min, max, isLazy } as const;
    const times = nestedCount(repeated);
    if (times > MAX_COUNT) throw this.#error(nestedCountError(times), begin);
    return repeated;
  }

  #range(): readonly [number, number] | undefined {
    if (this.#accepts('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#accepts('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#accepts('?')) return [0, 1];
    const [, min, comma, max] = this.#match(COUNT, this.#at) ?? [];
    if (min === undefined) return undefined;
    if (comma === undefined) return [Number(min), Number(min)];
    return [Number(min), max === undefined || max === '' ? Number.POSITIVE_INFINITY : Number(max)];
  }

  #escape(): PatternNode {
    const begin = this.#at - 1;
    const character = this.#next();
    switch (character) {
      case 'A':
        return { kind: 'assertion', at: 'start' };
      case 'z':
        return { kind: 'assertion', at: 'end' };
      case 'Z':
        return { kind: 'sequence', nodes: OPTIONAL_LF };
      case 'b':
        return { kind: 'assertion', at: 'word-boundary' };
      case 'B':
        return { kind: 'assertion', at: 'no-word-boundary' };
      case 'Q':
        return this.#quoted();
      default:
        this.#at = begin + 1;
        return this.#set(this.#escapedSet(begin));
    }
  }

  /** \Q...\E: ordinary text. */
  #quoted(): PatternNode {
    const end = this.#source.indexOf('\\E', this.#at);
    const text = this.#source.slice(this.#at, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#source.length : end + 2;
    return { kind: 'sequence', nodes: Array.from(text).map((each) => this.#literal(each)) };
  }

  /** After a backslash, in or outside of a class. */
  #escapedSet(begin: number): CodePoints {
    if (this.#at >= this.#source.length) throw this.#error('\\ at end of pattern', begin);
    const character = this.#next();
    if (/[1-9k]/.test(character)) throw this.#error(BACK_REFERENCE, begin);
    switch (character) {
      case 'd':
        return DIGITS;
      case 'D':
        return complement(DIGITS);
      case 'w':
        return WORD;
      case 'W':
        return complement(WORD);
      case 's':
        return BLANKS;
      case 'S':
        return complement(BLANKS);
      case 'x':
      case 'u':
        return this.#numbered(character, begin);
      default:
        return this.#single(character, begin);
    }
  }

  #single(character: string, begin: number): CodePoints {
    const control = CONTROL.get(character);
    if (control !== undefined) return [[control, control]];
    if (/[A-Za-z]/.test(character)) {
      const what =
        character === 'p' || character === 'P' ? 'classes of Unicode (\\p) are' : `\\${character} is`;
      throw this.#error(`${what} not supported; write the characters as a range such as [a-z]`, begin);
    }
    return [[codePoint(character), codePoint(character)]];
  }

  #numbered(letter: string, begin: number): CodePoints {
    const digits =
      this.#match(/\{([0-9a-fA-F]{1,6})\}/y, this.#at)?.[1] ??
      this.#match(letter === 'x' ? /([0-9a-fA-F]{2})/y : /([0-9a-fA-F]{4})/y, this.#at)?.[1];
    const point = Number.parseInt(digits ?? '', 16);
    if (!(point <= 0x10ffff)) throw this.#error('expected hexadecimal digits', begin);
    return [[point, point]];
  }

  #class(): CodePoints {
    const begin = this.#at - 1;
    const isNegated = this.#accepts('^');
    const ranges: (readonly [number, number])[] = [];
    let isFirst = true;
    while (isFirst || !this.#looksAt(']')) {
      // `[]` and `[^]` are empty sets in JavaScript and a literal bracket elsewhere.
      if (this.#at >= this.#source.length) throw this.#error('Unterminated character class', begin);
      if (isFirst && this.#looksAt(']')) throw this.#error('empty class; write \\] for a bracket', begin);
      ranges.push(...this.#classPart());
      isFirst = false;
    }
    this.#at++;
    const set = codePointsOf(ranges);
    const folded = this.#flags.ignoresCase ? foldCase(set) : set;
    return isNegated ? complement(folded) : folded;
  }

  #classPart(): CodePoints {
    const begin = this.#at;
    const posix = this.#match(/\[:(\^?)(\w+):\]/y, this.#at);
    if (posix !== undefined) return this.#posix(posix[2] ?? '', posix[1] === '^', begin);
    const from = this.#classCharacter();
    const [first] = from;
    const isRange = this.#looksAt('-') && this.#source[this.#at + 1] !== ']' && from.length === 1;
    if (!isRange || first === undefined || first[0] !== first[1]) return from;
    this.#at++;
    const [last] = this.#classCharacter();
    if (last === undefined || last[0] !== last[1]) return [first, rangeOf('-', '-'), ...(last ? [last] : [])];
    if (last[0] < first[0]) throw this.#error('Range out of order in character class', begin);
    return [[first[0], last[0]]];
  }

  #posix(name: string, isNegated: boolean, begin: number): CodePoints {
    const set = POSIX.get(name);
    if (set === undefined) throw this.#error(`the class [:${name}:] is not known`, begin);
    return isNegated ? complement(codePointsOf(set)) : set;
  }

  #classCharacter(): CodePoints {
    const begin = this.#at;
    const character = this.#next();
    if (character !== '\\') return [[codePoint(character), codePoint(character)]];
    if (this.#accepts('b')) return [[0x08, 0x08]];
    return this.#escapedSet(begin);
  }

  #next(): string {
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    return character;
  }

  #looksAt(character: string): boolean {
    return this.#source[this.#at] === character;
  }

  #accepts(character: string): boolean {
    if (!this.#looksAt(character)) return false;
    this.#at++;
    return true;
  }

  #match(expression: RegExp, at: number): RegExpExecArray | undefined {
    expression.lastIndex = at;
    const found = expression.exec(this.#source) ?? undefined;
    if (found !== undefined) this.#at = at + found[0].length;
    return found;
  }

  #error(message: string, offset = this.#at): PatternError {
    return new PatternError(message, offset);
  }
}

/** RE2 has the same limit, so such a pattern could not be searched in DuckDB either. */
function nestedCountError(times: number): string {
  const reason = `a part is repeated ${times} times, at most ${MAX_COUNT} are possible`;
  return `its counted repetitions are too large: ${reason}; write + or * instead of {n,m}, or use smaller counts`;
}

const OPTIONAL_LF: readonly PatternNode[] = [
  { kind: 'repetition', node: { kind: 'set', codePoints: [[0x0a, 0x0a]] }, min: 0, max: 1, isLazy: false },
  { kind: 'assertion', at: 'end' },
];

/** Logstash's `[source][address]` is `source.address`. */
function fieldName(text: string): string {
  if (!/^(?:\[[^[\]]+\])+$/.test(text)) return text.trim();
  return text.slice(1, -1).split('][').join('.');
}

/** Whether a repetition may be written out: a group must not be written twice. */
export function hasCaptures(node: PatternNode): boolean {
  return capturesIn(node).length > 0;
}
