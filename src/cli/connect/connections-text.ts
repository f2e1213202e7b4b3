import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { count, printable, textTable } from '../output/text-table.ts';

/** More successful targets are only counted; each failed one is named. */
const MAX_WORKING = 50;

/** One line for each target: `ok`, or `failed` with the reason and the remedy. */
export function connectionsText(trials: readonly ConnectionTrial[], width: number | undefined): string {
  const working = trials.filter(({ failure }) => failure === undefined);
  const named = new Set(working.slice(0, MAX_WORKING));
  const rows = trials
    .filter((trial) => trial.failure !== undefined || named.has(trial))
    .map((trial) => connectionRow(trial));
  const others = working.length - named.size;
  const all = others > 0 ? [...rows, ['ok', `${count(others)} others`]] : rows;
  return textTable([{ title: '' }, { title: '', wraps: true }], all, width);
}

function connectionRow({ target, failure }: ConnectionTrial): readonly string[] {
  if (failure === undefined) return ['ok', printable(target)];
  const { reason, remedy } = failure;
  const sentence = `${printable(target)}: ${printable(reason)}.`;
  return ['failed', remedy === undefined ? sentence : `${sentence} ${printable(remedy.replace(/\.$/, ''))}.`];
}
