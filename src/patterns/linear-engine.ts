import { setFlagsFromString } from 'node:v8';

/**
 * V8 has two engines for regular expressions. The default one backtracks: `^(a+)+$` needs time that doubles
 * with each letter. The linear one accepts fewer expressions, and its time is proportional to the text. With
 * a flag, the default engine stops after some backtracks and starts again on the linear one. So an expression
 * that the linear engine accepts is fast on the default engine for most texts.
 *
 * The fallback bounds exponential time, but not quadratic time: the steps of a simple loop such as `\w+` are
 * not counted, so that one backtrack may cost as many steps as the text has characters. Long texts are
 * therefore never given to the default engine (`compile-pattern.ts`).
 *
 * Flags of V8 apply to the whole process, its worker threads included, and to expressions that are compiled
 * later: they are set before the first pattern. A probe tests once that the fallback works. A later version
 * of V8 may drop it.
 */
export type LinearEngine =
  /** The default engine, which falls back to the linear one. */
  | 'fallback'
  /** There is no fallback: only the linear engine is used. */
  | 'linear'
  /** V8 has no linear engine: RE2JS is used. */
  | 'none';

export function linearEngine(): LinearEngine {
  engine ??= findEngine();
  return engine;
}

let engine: LinearEngine | undefined;

/** V8 compiles an expression with this flag for the linear engine, or not at all. */
const LINEAR_FLAG: string = 'l';

/** The expression on the linear engine; undefined: that engine cannot run it. */
export function linearExpression(source: string, flags: '' | 'g' = ''): RegExp | undefined {
  linearEngine();
  try {
    return new RegExp(source, LINEAR_FLAG + flags);
  } catch {
    return undefined;
  }
}

function findEngine(): LinearEngine {
  setFlagsFromString('--enable-experimental-regexp-engine');
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  // The default of 50,000 allows 50,000 times the length of the text.
  setFlagsFromString('--regexp-backtracks-before-fallback=5000');
  try {
    new RegExp('a', LINEAR_FLAG);
  } catch {
    return 'none';
  }
  return isFallbackSound() ? 'fallback' : 'linear';
}

const PROBE_NS = 100_000_000n;

/** Without the fallback, the probe needs some seconds at most: 2^24 steps. */
function isFallbackSound(): boolean {
  const began = process.hrtime.bigint();
  /^(?:a+)+$/.test(`${'a'.repeat(24)}!`);
  return process.hrtime.bigint() - began < PROBE_NS;
}
