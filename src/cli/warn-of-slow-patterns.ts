import type { Logger } from 'pino';
import type { LinearEngine } from '../patterns/linear-engine.ts';

/**
 * Regular expressions of operators run on the fast engine of V8 only if it falls back to its linear engine. A later
 * version of Node may not have that any more: then all patterns work, and are slower.
 */
export function warnOfSlowPatterns(engine: LinearEngine, logger: Logger): void {
  if (engine === 'fallback') return;
  const used = engine === 'linear' ? "V8's linear engine" : 'RE2JS';
  logger.warn(
    { node: process.version, engine: used },
    'Regular expressions are slow: this version of Node has no linear fallback for them. Use a tested version of Node',
  );
}
