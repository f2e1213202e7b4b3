import type { LineTest } from '../../patterns/compile-pattern.ts';
import { csvlogCutter } from './csvlog-cutter.ts';
import type { Cutter } from './cutter.ts';
import { lineCutter } from './line-cutter.ts';
import { multilineByContinuation, multilineByStart } from './multiline-cutter.ts';

/** Formats whose records are not lines. */
const CUTTERS: ReadonlyMap<string, Cutter> = new Map([['postgres-csvlog', csvlogCutter]]);

/** The cutter for the `multiline` option of an entry. Without the option: the cutter of the format, by default lines. */
export function cutterFor(
  multiline: { start: LineTest } | { continue: LineTest } | undefined,
  format = 'plain',
): Cutter {
  if (multiline === undefined) return CUTTERS.get(format) ?? lineCutter;
  return 'start' in multiline
    ? multilineByStart(multiline.start)
    : multilineByContinuation(multiline.continue);
}
