import type { Cutter } from './cutter.ts';
import { lineCutter } from './line-cutter.ts';
import { multilineByContinuation, multilineByStart } from './multiline-cutter.ts';

/** The cutter for an entry's `multiline` option; lines without one. */
export function cutterFor(multiline: { start: RegExp } | { continue: RegExp } | undefined): Cutter {
  if (multiline === undefined) return lineCutter;
  return 'start' in multiline
    ? multilineByStart(multiline.start)
    : multilineByContinuation(multiline.continue);
}
