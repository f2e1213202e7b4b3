import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { count, printable } from '../text-table.ts';

/** More targets that work are only counted; each one that fails is named. */
const MAX_WORKING = 50;

/** One line for each target: `ok`, or `failed` with the reason and the remedy. */
export function connectionLines(trials: readonly ConnectionTrial[]): readonly string[] {
  const working = trials.filter(({ failure }) => failure === undefined);
  const named = new Set(working.slice(0, MAX_WORKING));
  const lines = trials
    .filter((trial) => trial.failure !== undefined || named.has(trial))
    .map((trial) => connectionLine(trial));
  const others = working.length - named.size;
  return others > 0 ? [...lines, `ok      ${count(others)} others`] : lines;
}

function connectionLine({ target, failure }: ConnectionTrial): string {
  if (failure === undefined) return `ok      ${printable(target)}`;
  const { reason, remedy } = failure;
  const sentence = `failed  ${printable(target)}: ${printable(reason)}.`;
  return remedy === undefined ? sentence : `${sentence} ${printable(remedy.replace(/\.$/, ''))}.`;
}
