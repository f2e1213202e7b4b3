import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';
import { linearEngine, linearExpression } from './linear-engine.ts';
import { hasCaptures, type ParsePatternOptions, parsePattern } from './parse-pattern.ts';
import { PatternError } from './pattern-error.ts';
import { capturesIn, type PatternField, type PatternNode, sizeOf } from './pattern-node.ts';
import {
  JAVASCRIPT,
  JAVASCRIPT_WITHOUT_COUNTS,
  type PatternSyntax,
  RE2,
  writePattern,
} from './write-pattern.ts';

/**
 * A regular expression of a person, which cannot block the process for any text.
 *
 * 1. The pattern is parsed (`parse-pattern.ts`) and written again for each engine.
 * 2. V8's linear engine accepts it: the verdict is `linear`. Short texts are matched by V8's default engine
 *    with the linear one as its fallback (`linear-engine.ts`). Counted repetitions that are too large for the
 *    linear engine (`\w{1,40}`) are written out.
 * 3. Otherwise it runs on RE2JS, which is linear for all patterns and 100 times slower: `linear-slow`.
 *
 * A pattern sees the first 65,536 characters of a text.
 */
export interface CompiledPattern extends LineTest {
  readonly source: string;
  readonly verdict: PatternVerdict;
  /** The named groups, each name once, in the order of their first appearance. */
  readonly fields: readonly PatternField[];
  /** For back ends that write the pattern in another syntax. */
  readonly tree: PatternNode;
  exec(text: string): PatternMatch | undefined;
  /** The first match that begins at `from` or after it. The text has at most MAX_PATTERN_TEXT characters. */
  execFrom(text: string, from: number): PatternMatch | undefined;
}

/** The part of a pattern that only tests. */
export interface LineTest {
  test(text: string): boolean;
}

export type PatternVerdict = 'linear' | 'linear-slow';

export interface PatternMatch {
  readonly start: number;
  readonly end: number;
  /** In the order of `fields`; undefined: the group took no part. */
  readonly values: readonly (string | undefined)[];
}

/** `flags`: `i` ignores the case of A to Z. Throws PatternError. */
export function compilePattern(source: string, flags: '' | 'i' = ''): CompiledPattern {
  return compileParsed(source, { ignoresCase: flags === 'i' });
}

/** Throws PatternError. */
export function compileParsed(source: string, options: ParsePatternOptions): CompiledPattern {
  return compileTree(source, parsePattern(source, options));
}

export function compileTree(source: string, tree: PatternNode): CompiledPattern {
  const captures = capturesIn(tree);
  const slow = new SlowMatcher(tree);
  const linear = linearSource(tree);
  if (linear === undefined) slow.compile();
  const fast =
    linear === undefined
      ? undefined
      : new FastMatcher(linear, {
          isLinearOnly: optionalParts(tree) > MAX_OPTIONAL_PARTS,
          isSimple: sizeOf(tree) <= MAX_SIMPLE_SIZE && !hasLoop(tree),
          slow,
        });
  return new Pattern({ source, tree, captures, fast, slow });
}

/** Texts are cut to this number of characters. */
export const MAX_PATTERN_TEXT = 64 * 1024;

/** Each character of a text may visit each state: a larger pattern is for RE2JS, which remembers sets of states. */
const MAX_WRITTEN_OUT_STATES = 512;

/**
 * V8's default engine needs time that doubles with each optional part in a row to compile (`a?a?a?...`). With
 * more of them, only the linear engine is used.
 */
const MAX_OPTIONAL_PARTS = 6;

/** The largest number of parts in a row that may be empty. */
function optionalParts(node: PatternNode): number {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return 0;
    case 'sequence':
      return Math.max(longestRun(node.nodes), ...node.nodes.map(optionalParts));
    case 'choice':
      return Math.max(...node.nodes.map(optionalParts));
    case 'capture':
      return optionalParts(node.node);
    case 'repetition':
      return Math.max(optionalParts(node.node), longestRun([node]));
  }
}

function longestRun(nodes: readonly PatternNode[]): number {
  let longest = 0;
  let run = 0;
  for (const node of nodes) {
    const isCounted = node.kind === 'repetition' && Number.isFinite(node.max);
    run = isNullable(node) ? run + (isCounted ? node.max : 1) : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'assertion':
      return false;
    case 'sequence':
      return node.nodes.every(isNullable);
    case 'choice':
      return node.nodes.some(isNullable);
    case 'capture':
      return isNullable(node.node);
    case 'repetition':
      return node.min === 0 || isNullable(node.node);
  }
}

/** undefined: V8's linear engine does not accept the pattern. */
function linearSource(tree: PatternNode): string | undefined {
  if (linearEngine() === 'none') return undefined;
  const accepted = (syntax: PatternSyntax) => {
    const source = writePattern(tree, syntax);
    return linearExpression(source) === undefined ? undefined : source;
  };
  const canWriteOut = !repeatsCaptures(tree) && sizeOf(tree) <= MAX_WRITTEN_OUT_STATES;
  return accepted(JAVASCRIPT) ?? (canWriteOut ? accepted(JAVASCRIPT_WITHOUT_COUNTS) : undefined);
}

/** A group in a counted repetition would be written several times. */
function repeatsCaptures(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return false;
    case 'sequence':
    case 'choice':
      return node.nodes.some(repeatsCaptures);
    case 'capture':
      return repeatsCaptures(node.node);
    case 'repetition':
      return Number.isFinite(node.max) && node.max > 1 ? hasCaptures(node.node) : repeatsCaptures(node.node);
  }
}

/** The group of each capture, and where the match is. */
interface Matcher {
  test(text: string): boolean;
  exec(text: string): RawMatch | undefined;
  execFrom(text: string, from: number): RawMatch | undefined;
}

interface RawMatch {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
}

interface PatternParts {
  readonly source: string;
  readonly tree: PatternNode;
  readonly captures: readonly PatternField[];
  readonly fast: Matcher | undefined;
  readonly slow: Matcher;
}

const SURROGATE = /[\ud800-\udfff]/;

class Pattern implements CompiledPattern {
  readonly source: string;
  readonly tree: PatternNode;
  readonly fields: readonly PatternField[];
  readonly verdict: PatternVerdict;
  readonly #fast: Matcher;
  readonly #slow: Matcher;
  /** For each field, its groups; undefined: the groups are the fields. */
  readonly #groups: readonly (readonly number[])[] | undefined;

  constructor({ source, tree, captures, fast, slow }: PatternParts) {
    this.source = source;
    this.tree = tree;
    const names = [...new Set(captures.map(({ name }) => name))];
    this.fields = names.flatMap((name) => captures.find((each) => each.name === name) ?? []);
    const groups = names.map((name) => captures.flatMap((each, at) => (each.name === name ? [at] : [])));
    this.#groups = groups.every((each) => each.length === 1) ? undefined : groups;
    this.verdict = fast === undefined ? 'linear-slow' : 'linear';
    this.#fast = fast ?? slow;
    this.#slow = slow;
  }

  test(text: string): boolean {
    const seen = text.length > MAX_PATTERN_TEXT ? cut(text) : text;
    return SURROGATE.test(seen) ? this.#slow.test(seen.toWellFormed()) : this.#fast.test(seen);
  }

  exec(text: string): PatternMatch | undefined {
    const seen = text.length > MAX_PATTERN_TEXT ? cut(text) : text;
    const found = SURROGATE.test(seen) ? this.#slow.exec(seen.toWellFormed()) : this.#fast.exec(seen);
    if (found === undefined) return undefined;
    return { start: found.start, end: found.end, values: this.#valuesOf(found.groups) };
  }

  execFrom(text: string, from: number): PatternMatch | undefined {
    const found = SURROGATE.test(text)
      ? this.#slow.execFrom(text.toWellFormed(), from)
      : this.#fast.execFrom(text, from);
    if (found === undefined) return undefined;
    return { start: found.start, end: found.end, values: this.#valuesOf(found.groups) };
  }

  /** Returns the first group of each field that took part. */
  #valuesOf(groups: RawMatch['groups']): RawMatch['groups'] {
    if (this.#groups === undefined) return groups;
    return this.#groups.map((each) => {
      const group = each.find((at) => groups[at] !== undefined);
      return group === undefined ? undefined : groups[group];
    });
  }
}

/** Cuts between characters, not between the halves of one. A database counts characters, too. */
export function cut(text: string): string {
  if (!SURROGATE.test(text)) return text.slice(0, MAX_PATTERN_TEXT);
  let end = 0;
  for (let count = 0; count < MAX_PATTERN_TEXT && end < text.length; count++) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}

const SAMPLE_EVERY = 8;
const SLOW_MS = 0.5;
/** A slow match counts as many as several fast ones, so that a busy machine alone is no reason. */
const SLOW_WEIGHT = 4;
const MAX_SLOWNESS = 12;

/** A longer text needs quadratic time on the default engine if the pattern has a loop. */
const MAX_BACKTRACKED_TEXT = 2048;
const MANY_TIMES = 20;
const MAX_SIMPLE_SIZE = 64;

/** Whether a part of the pattern can match a long text. */
function hasLoop(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return false;
    case 'sequence':
    case 'choice':
      return node.nodes.some(hasLoop);
    case 'capture':
      return hasLoop(node.node);
    case 'repetition':
      return node.max > MANY_TIMES || hasLoop(node.node);
  }
}

interface FastMatcherOptions {
  readonly isLinearOnly: boolean;
  /** Its time is proportional to the text on the default engine. */
  readonly isSimple: boolean;
  readonly slow: Matcher;
}

/**
 * Uses V8's default engine for short texts until most matches are slow, then the linear one, which avoids the
 * backtracks before each fallback. One match in eight is measured. For long texts, RE2JS decides whether
 * there is a match, which is faster than the linear engine, and the linear engine finds the groups.
 */
class FastMatcher implements Matcher {
  readonly #source: string;
  readonly #slow: Matcher;
  readonly #maxText: number;
  #used: RegExp;
  #linear: RegExp | undefined;
  #usedFrom: RegExp | undefined;
  #linearFrom: RegExp | undefined;
  #isLinear: boolean;
  #matches = 0;
  #slowness = 0;

  constructor(source: string, { isLinearOnly, isSimple, slow }: FastMatcherOptions) {
    this.#source = source;
    this.#slow = slow;
    this.#isLinear = isLinearOnly || linearEngine() !== 'fallback';
    this.#maxText = isSimple && !this.#isLinear ? Number.POSITIVE_INFINITY : MAX_BACKTRACKED_TEXT;
    this.#used = this.#isLinear ? this.#onLinearEngine() : new RegExp(source);
  }

  test(text: string): boolean {
    if (text.length > this.#maxText) return this.#slow.test(text);
    if (this.#matches++ % SAMPLE_EVERY !== 0) return this.#used.test(text);
    const beganMs = performance.now();
    const isMatch = this.#used.test(text);
    this.#measured(performance.now() - beganMs);
    return isMatch;
  }

  exec(text: string): RawMatch | undefined {
    if (text.length > this.#maxText) {
      return this.#slow.test(text) ? matchOf(this.#onLinearEngine().exec(text)) : undefined;
    }
    const beganMs = this.#matches++ % SAMPLE_EVERY === 0 ? performance.now() : undefined;
    const found = this.#used.exec(text);
    if (beganMs !== undefined) this.#measured(performance.now() - beganMs);
    return matchOf(found);
  }

  execFrom(text: string, from: number): RawMatch | undefined {
    const isLong = text.length > this.#maxText;
    const used = this.#isLinear || isLong ? this.#linearFromAnyPlace() : this.#defaultFromAnyPlace();
    used.lastIndex = from;
    if (this.#matches++ % SAMPLE_EVERY !== 0 || isLong) return matchOf(used.exec(text));
    const beganMs = performance.now();
    const found = used.exec(text);
    this.#measured(performance.now() - beganMs);
    return matchOf(found);
  }

  #linearFromAnyPlace(): RegExp {
    this.#linearFrom ??= linearExpression(this.#source, 'g') ?? new RegExp(this.#source, 'g');
    return this.#linearFrom;
  }

  #defaultFromAnyPlace(): RegExp {
    this.#usedFrom ??= new RegExp(this.#source, 'g');
    return this.#usedFrom;
  }

  #onLinearEngine(): RegExp {
    this.#linear ??= linearExpression(this.#source) ?? new RegExp(this.#source);
    return this.#linear;
  }

  #measured(elapsedMs: number): void {
    this.#slowness = Math.max(0, this.#slowness + (elapsedMs > SLOW_MS ? SLOW_WEIGHT : -1));
    if (this.#slowness < MAX_SLOWNESS || this.#isLinear) return;
    this.#used = this.#onLinearEngine();
    this.#isLinear = true;
  }
}

function matchOf(found: RegExpExecArray | null): RawMatch | undefined {
  if (found === null) return undefined;
  return { start: found.index, end: found.index + found[0].length, groups: found.slice(1) };
}

/** Most processes match no pattern on it, and loading it takes 15 ms and 3 MB. */
function slowEngine(): typeof RE2JS {
  engine ??= (createRequire(import.meta.url)('re2js') as { readonly RE2JS: typeof RE2JS }).RE2JS;
  return engine;
}

let engine: typeof RE2JS | undefined;

/** RE2JS, loaded and compiled when it is needed first. */
class SlowMatcher implements Matcher {
  readonly #tree: PatternNode;
  #compiled: RE2JS | undefined;

  constructor(tree: PatternNode) {
    this.#tree = tree;
  }

  /** Throws PatternError. */
  compile(): RE2JS {
    if (this.#compiled !== undefined) return this.#compiled;
    try {
      this.#compiled = slowEngine().compile(writePattern(this.#tree, RE2));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new PatternError(
        `it cannot be matched in linear time (${reason}); write it in a simpler form`,
        0,
      );
    }
    return this.#compiled;
  }

  test(text: string): boolean {
    return this.compile().test(text);
  }

  exec(text: string): RawMatch | undefined {
    return this.execFrom(text, 0);
  }

  execFrom(text: string, from: number): RawMatch | undefined {
    const matcher = this.compile().matcher(text);
    if (from > text.length || !matcher.find(from)) return undefined;
    const groups = Array.from(
      { length: matcher.groupCount() },
      (_, at) => matcher.group(at + 1) ?? undefined,
    );
    return { start: matcher.start(), end: matcher.end(), groups };
  }
}
