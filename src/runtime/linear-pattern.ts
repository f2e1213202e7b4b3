import { setFlagsFromString } from 'node:v8';

/**
 * Regular expressions of the operator that cannot block the process for any text.
 *
 * V8 has two engines. The default one backtracks: `^(a+)+$` needs time that doubles with each letter. The
 * linear one accepts fewer expressions, and its time is proportional to the text.
 *
 * 1. An expression that the linear engine accepts (V8's `l` flag) is *proved*. It still runs on the default
 *    engine, which is faster for most texts; after 50,000 backtracks V8 restarts on the linear one, and after
 *    some slow texts the expression runs only on the linear engine.
 * 2. An expression with a large counted repetition (`a{1,200}`) is rejected by the linear engine only for its
 *    size. It is *bounded*: it reads the first 256 characters of a text, and has at most two choice points,
 *    so it needs at most about 256^3 / 6 steps. Without nesting, each choice multiplies the steps by at most
 *    256.
 * 3. Look-around and back-references have no linear engine. They are rejected, with an alternative in the
 *    message.
 *
 * V8's flags apply to the whole process, and to expressions that are compiled later: they are set at the
 * first pattern. A probe then tests once that the fallback works; if not (a later V8 may drop it), proved
 * expressions run on the linear engine.
 */
export interface LinearPattern {
  readonly source: string;
  test(text: string): boolean;
}

export type LinearPatternResult =
  | { readonly kind: 'pattern'; readonly pattern: LinearPattern }
  /** `reason`: what the operator can do instead, as the rest of a sentence. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Only the beginning of a longer text is tested. */
const MAX_TEXT_LENGTH = 64 * 1024;
/** A flag of V8: the expression is compiled for the linear engine, or not at all. */
const LINEAR_FLAG: string = 'l';
const SLOW_MS = 0.5;
const MAX_SLOW_TESTS = 3;
const MAX_BOUNDED_TEXT_LENGTH = 256;
const MAX_CHOICES = 2;
/** Below it, the linear engine accepts the expression with its counted repetitions. */
const NO_COUNT = '+';

export function compileLinearPattern(source: string): LinearPatternResult {
  enableLinearEngine();
  let expression: RegExp;
  try {
    expression = new RegExp(source);
  } catch (error) {
    return refused((error as Error).message);
  }
  const unsupported = unsupportedPart(source);
  if (unsupported !== undefined) return refused(unsupported);
  if (linearEngineAccepts(source)) {
    return { kind: 'pattern', pattern: new ProvedPattern(expression) };
  }
  return boundedPattern(expression);
}

/** Only the counted repetitions are too large: without the counts, the linear engine accepts it. */
function boundedPattern(expression: RegExp): LinearPatternResult {
  const { source } = expression;
  const uncounted = withoutCounts(source);
  if (!linearEngineAccepts(uncounted)) {
    return refused(
      'this expression cannot be tested in linear time; write it without look-around, \\1 and \\k<name>',
    );
  }
  if (choicesIn(source) > MAX_CHOICES) {
    return refused(
      'its counted repetitions are too large to prove that it is fast; write + or * instead of {n,m}, or use smaller ' +
        'counts (the product of nested counts is at most 16)',
    );
  }
  const test = (text: string) => expression.test(text.slice(0, MAX_BOUNDED_TEXT_LENGTH));
  return { kind: 'pattern', pattern: { source, test } };
}

/**
 * Uses the default engine until it has been slow, then the linear one, which avoids the 50,000 backtracks.
 */
class ProvedPattern implements LinearPattern {
  readonly source: string;
  readonly #linear: RegExp;
  #used: RegExp;
  #slowTests = 0;

  constructor(expression: RegExp) {
    this.source = expression.source;
    this.#linear = new RegExp(expression.source, LINEAR_FLAG);
    this.#used = isFallbackSound() ? expression : this.#linear;
  }

  test(text: string): boolean {
    const beganMs = performance.now();
    const matches = this.#used.test(text.length > MAX_TEXT_LENGTH ? text.slice(0, MAX_TEXT_LENGTH) : text);
    if (performance.now() - beganMs > SLOW_MS && ++this.#slowTests === MAX_SLOW_TESTS)
      this.#used = this.#linear;
    return matches;
  }
}

function refused(reason: string): LinearPatternResult {
  return { kind: 'refused', reason };
}

/** Constructs without a linear engine, with the alternative. Escapes and classes are ignored. */
function unsupportedPart(source: string): string | undefined {
  const syntax = source.replaceAll(/\[(?:\\.|[^\]\\])*\]/g, '[]');
  if (/\\[1-9]|\\k</.test(syntax.replaceAll('\\\\', ''))) {
    return 'back-references (\\1, \\k<name>) cannot be tested in linear time; write the repeated text out, or match less of the line';
  }
  const bare = syntax.replaceAll(/\\./g, '');
  if (/\(\?<?[=!]/.test(bare)) {
    return (
      'look-around ((?=...), (?!...), (?<=...), (?<!...)) cannot be tested in linear time; describe the lines that ' +
      'match instead: for lines that do not begin with a blank, ^\\S instead of ^(?!\\s)'
    );
  }
  return undefined;
}

function withoutCounts(source: string): string {
  return source.replaceAll(
    /(\\.|\[(?:\\.|[^\]\\])*\])|\{\d+(?:,\d*)?\}/g,
    (_, kept?: string) => kept ?? NO_COUNT,
  );
}

/** The number of choice points; infinite for a repeated choice. */
function choicesIn(source: string): number {
  const syntax = source.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]/g, 'x').replaceAll(/\(\?(?::|<\w+>)/g, '(');
  const choices = [0];
  for (let at = 0; at < syntax.length; at++) {
    const character = syntax.charAt(at);
    const repetition = REPETITION.exec(syntax.slice(at))?.[0];
    const inGroup = character === ')' ? (choices.pop() ?? 0) : 0;
    const isRepeated = character === ')' && REPETITION.test(syntax.slice(at + 1));
    if (character === '(') choices.push(0);
    const here = character === '|' || (repetition !== undefined && !/^\{\d+\}/.test(repetition)) ? 1 : 0;
    const last = choices.length - 1;
    choices[last] =
      (choices[last] ?? 0) + here + (isRepeated && inGroup > 0 ? Number.POSITIVE_INFINITY : inGroup);
    at += Math.max(0, (repetition?.length ?? 0) - 1);
  }
  return choices[0] ?? 0;
}

const REPETITION = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/;

function linearEngineAccepts(source: string): boolean {
  try {
    new RegExp(source, LINEAR_FLAG);
    return true;
  } catch {
    return false;
  }
}

let isEnabled = false;

function enableLinearEngine(): void {
  if (isEnabled) return;
  isEnabled = true;
  setFlagsFromString('--enable-experimental-regexp-engine');
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
}

let fallback: boolean | undefined;

/** Without the fallback, the probe needs some seconds at most: 2^24 steps. */
function isFallbackSound(): boolean {
  if (fallback === undefined) {
    const began = process.hrtime.bigint();
    /^(?:a+)+$/.test(`${'a'.repeat(24)}!`);
    fallback = process.hrtime.bigint() - began < PROBE_NS;
  }
  return fallback;
}

const PROBE_NS = 100_000_000n;
