import { ANY, type CodePoints, complement, LAST_CODE_POINT, LINE_ENDS } from './code-points.ts';
import type { PatternNode } from './pattern-node.ts';

/** Writes a pattern in the syntax of an engine. The text contains only characters of ASCII. */
export function writePattern(node: PatternNode, syntax: PatternSyntax): string {
  switch (node.kind) {
    case 'set':
      return writeSet(node.codePoints, syntax);
    case 'assertion':
      return syntax.assertions[node.at];
    case 'sequence':
      return node.nodes
        .map((each) => (each.kind === 'choice' ? grouped(each, syntax) : writePattern(each, syntax)))
        .join('');
    case 'choice':
      return node.nodes.map((each) => writePattern(each, syntax)).join('|');
    case 'capture':
      return `${syntax.keepsCaptures ? '(' : '(?:'}${writePattern(node.node, syntax)})`;
    case 'repetition':
      return writeRepetition(node, syntax);
  }
}

export interface PatternSyntax {
  readonly assertions: Readonly<Record<Extract<PatternNode, { kind: 'assertion' }>['at'], string>>;
  readonly keepsCaptures: boolean;
  /** The last code point that a set can name; greater ones are left out. */
  readonly lastCodePoint: number;
  readonly firstCodePoint: number;
  /** A character that is not a letter, a digit or a blank of ASCII. */
  readonly escape: (codePoint: number) => string;
  /** The text for any character, and for any character except line ends. */
  readonly any: string;
  readonly dot: string;
  readonly nothing: string;
  /** Larger counts are written as several repetitions. */
  readonly maxCount: number;
  readonly hasLazy: boolean;
  /** Counted repetitions are written out. */
  readonly writesCountsOut: boolean;
}

const hex = (codePoint: number, digits: number) => codePoint.toString(16).padStart(digits, '0');

/**
 * Texts with characters outside of the basic plane are matched by RE2: the linear engine of V8 knows code
 * units only.
 */
export const JAVASCRIPT: PatternSyntax = {
  assertions: { start: '^', end: '$', 'word-boundary': '\\b', 'no-word-boundary': '\\B' },
  keepsCaptures: true,
  firstCodePoint: 0,
  lastCodePoint: 0xffff,
  escape: (codePoint) => (codePoint < 0x80 ? `\\x${hex(codePoint, 2)}` : `\\u${hex(codePoint, 4)}`),
  any: '[^]',
  dot: '.',
  nothing: '[]',
  maxCount: Number.POSITIVE_INFINITY,
  hasLazy: true,
  writesCountsOut: false,
};

export const JAVASCRIPT_WITHOUT_COUNTS: PatternSyntax = { ...JAVASCRIPT, writesCountsOut: true };

export const RE2: PatternSyntax = {
  assertions: { start: '\\A', end: '\\z', 'word-boundary': '\\b', 'no-word-boundary': '\\B' },
  keepsCaptures: true,
  firstCodePoint: 0,
  lastCodePoint: LAST_CODE_POINT,
  escape: (codePoint) => `\\x{${hex(codePoint, 2)}}`,
  any: '(?s:.)',
  dot: '[^\\n\\r\\x{2028}\\x{2029}]',
  nothing: '[^\\x{0}-\\x{10ffff}]',
  maxCount: 1000,
  hasLazy: true,
  writesCountsOut: false,
};

export const RE2_WITHOUT_CAPTURES: PatternSyntax = { ...RE2, keepsCaptures: false };

const WORD_CLASS = '[A-Za-z0-9_]';
const BOUNDARY = {
  'word-boundary': `(?:(?<=${WORD_CLASS})(?!${WORD_CLASS})|(?<!${WORD_CLASS})(?=${WORD_CLASS}))`,
  'no-word-boundary': `(?:(?<=${WORD_CLASS})(?=${WORD_CLASS})|(?<!${WORD_CLASS})(?!${WORD_CLASS}))`,
} as const;

/** PostgreSQL's advanced regular expressions, which depend on no locale in this form. Text has no U+0000. */
export const POSTGRES: PatternSyntax = {
  assertions: { start: '\\A', end: '\\Z', ...BOUNDARY },
  keepsCaptures: false,
  firstCodePoint: 1,
  lastCodePoint: LAST_CODE_POINT,
  escape: (codePoint) => (codePoint > 0xffff ? `\\U${hex(codePoint, 8)}` : `\\u${hex(codePoint, 4)}`),
  any: '.',
  dot: '[^\\n\\r\\u2028\\u2029]',
  nothing: '[^\\u0001-\\U0010ffff]',
  maxCount: 255,
  hasLazy: false,
  writesCountsOut: false,
};

/** The whole text of a pattern for PostgreSQL: the first characters choose the syntax. */
export function postgresPattern(node: PatternNode): string {
  return `***:(?:${writePattern(node, POSTGRES)})`;
}

export function re2Pattern(node: PatternNode): string {
  return writePattern(node, RE2_WITHOUT_CAPTURES);
}

function grouped(node: PatternNode, syntax: PatternSyntax): string {
  return `(?:${writePattern(node, syntax)})`;
}

function writeSet(set: CodePoints, syntax: PatternSyntax): string {
  if (set === ANY || isSame(set, ANY)) return syntax.any;
  if (isSame(set, NO_LINE_ENDS)) return syntax.dot;
  const ranges = limited(set, syntax);
  const [only] = ranges;
  if (only === undefined) return syntax.nothing;
  if (ranges.length === 1 && only[0] === only[1]) return writeCharacter(only[0], syntax);
  const others = limited(complement(set), syntax);
  const isShorter = others.length > 0 && others.length < ranges.length;
  return isShorter ? `[^${writeRanges(others, syntax)}]` : `[${writeRanges(ranges, syntax)}]`;
}

const NO_LINE_ENDS = complement(LINE_ENDS);

function isSame(a: CodePoints, b: CodePoints): boolean {
  return a.length === b.length && a.every(([first, last], at) => first === b[at]?.[0] && last === b[at]?.[1]);
}

function limited(set: CodePoints, { firstCodePoint, lastCodePoint }: PatternSyntax): CodePoints {
  return set
    .map(([first, last]) => [Math.max(first, firstCodePoint), Math.min(last, lastCodePoint)] as const)
    .filter(([first, last]) => first <= last);
}

function writeRanges(ranges: CodePoints, syntax: PatternSyntax): string {
  return ranges
    .map(([first, last]) => {
      const begin = writeCharacter(first, syntax);
      return first === last ? begin : `${begin}-${writeCharacter(last, syntax)}`;
    })
    .join('');
}

const ORDINARY = /[A-Za-z0-9 _]/;

function writeCharacter(codePoint: number, syntax: PatternSyntax): string {
  const character = String.fromCodePoint(codePoint);
  return ORDINARY.test(character) && codePoint < 0x80 ? character : syntax.escape(codePoint);
}

type Repetition = Extract<PatternNode, { kind: 'repetition' }>;

function writeRepetition(repetition: Repetition, syntax: PatternSyntax): string {
  const { node, min, max } = repetition;
  const isAtom = node.kind === 'set' || node.kind === 'capture';
  const atom = isAtom ? writePattern(node, syntax) : grouped(node, syntax);
  const lazy = repetition.isLazy && syntax.hasLazy ? '?' : '';
  if (max === 0) return '(?:)';
  if (min === 1 && max === 1) return atom;
  if (max === Number.POSITIVE_INFINITY && min <= 1) return `${atom}${min === 0 ? '*' : '+'}${lazy}`;
  if (min === 0 && max === 1) return `${atom}?${lazy}`;
  if (syntax.writesCountsOut) return writtenOut(atom, repetition, lazy);
  return counted(atom, repetition, syntax.maxCount, lazy);
}

/** `x{2,4}` is `xx(?:x(?:x)?)?`. */
function writtenOut(atom: string, { min, max }: Repetition, lazy: string): string {
  const required = atom.repeat(min);
  if (max === Number.POSITIVE_INFINITY) return `${required}${atom}*${lazy}`;
  const optional = max - min;
  return `${required}${`(?:${atom}`.repeat(optional)}${`)?${lazy}`.repeat(optional)}`;
}

function counted(atom: string, { min, max }: Repetition, maxCount: number, lazy: string): string {
  const limit = max === Number.POSITIVE_INFINITY ? '' : `${max}`;
  if (min <= maxCount && (limit === '' || max <= maxCount)) {
    return `${atom}{${min === max ? min : `${min},${limit}`}}${lazy}`;
  }
  const required = pieces(min, maxCount).map((count) => `${atom}{${count}}`);
  const optional =
    limit === '' ? [`${atom}*`] : pieces(max - min, maxCount).map((count) => `${atom}{0,${count}}`);
  return [...required, ...optional].join('');
}

function pieces(count: number, maxCount: number): readonly number[] {
  const whole = Array.from({ length: Math.floor(count / maxCount) }, () => maxCount);
  return count % maxCount === 0 ? whole : [...whole, count % maxCount];
}
