import type { LinearPattern } from '../../runtime/linear-pattern.ts';
import { csvlogCutter } from './csvlog-cutter.ts';
import type { Cutter } from './cutter.ts';
import { lineCutter } from './line-cutter.ts';
import { multilineByContinuation, multilineByStart } from './multiline-cutter.ts';

/** Formats whose records are not lines. */
const CUTTERS: ReadonlyMap<string, Cutter> = new Map([['postgres-csvlog', csvlogCutter]]);

/** The cutter for an entry's `multiline` option; without one, lines, or what the format has instead. */
export function cutterFor(
  multiline: { start: LinearPattern } | { continue: LinearPattern } | undefined,
  format = 'plain',
): Cutter {
  if (multiline === undefined) return CUTTERS.get(format) ?? lineCutter;
  return 'start' in multiline
    ? multilineByStart(multiline.start)
    : multilineByContinuation(multiline.continue);
}
