import type { WrittenLog } from './access-log.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';
import type { HalfUsage, Transfer } from './transfer.ts';

/** All runs of one contender, or the reason why there are none. */
export interface Standing {
  readonly name: string;
  readonly key: string;
  readonly runs: readonly Transfer[];
  /** Of the small log, one for each round. */
  readonly smallRuns?: readonly Transfer[];
  readonly failures: readonly string[];
}

const HEADER = [
  'median',
  'MB/s',
  'lowest',
  'highest',
  'lines/s',
  'ours is',
  'CPU s/GB sender',
  'receiver',
  'both',
  'peak MB sender',
  'receiver',
  'complete',
];

export const OURS = 'ours';

/** MB is 10^6 bytes, GB 10^9. */
export function transferTable(standings: readonly Standing[], log: WrittenLog): string {
  const ours = standings.find(({ key }) => key === OURS);
  return table(
    HEADER,
    standings.map((standing) => row(standing, log, ours)),
  );
}

export function speed(standing: Standing | undefined, log: WrittenLog): number {
  return median((standing?.runs ?? []).map(({ seconds }) => log.bytes / 1e6 / seconds));
}

export function cpuPerGigabyte(standing: Standing | undefined, log: WrittenLog, half: 'sender' | 'receiver') {
  return median((standing?.runs ?? []).map((run) => run[half].cpuSeconds / (log.bytes / 1e9)));
}

/** The highest value of all runs: a median does not show whether a limit is kept. */
export function peakMegabytes(standing: Standing | undefined, half: 'sender' | 'receiver'): number {
  const peak = (usage: HalfUsage) => usage.peakMemoryBytes / 1e6;
  return Math.max(...(standing?.runs ?? []).map((run) => peak(run[half])));
}

function row(standing: Standing, log: WrittenLog, ours: Standing | undefined): string[] {
  const { name, runs } = standing;
  if (runs.length === 0) return [name, 'not run'];
  const speeds = runs.map(({ seconds }) => log.bytes / 1e6 / seconds);
  const sender = cpuPerGigabyte(standing, log, 'sender');
  const receiver = cpuPerGigabyte(standing, log, 'receiver');
  const ratio = speed(ours, log) / speed(standing, log);
  return [
    name,
    median(speeds).toFixed(0),
    Math.min(...speeds).toFixed(0),
    Math.max(...speeds).toFixed(0),
    Math.round((median(speeds) * 1e6 * log.lines) / log.bytes).toLocaleString('en-US'),
    Number.isNaN(ratio) ? '' : `${ratio.toFixed(2)} x`,
    sender.toFixed(1),
    receiver.toFixed(1),
    (sender + receiver).toFixed(1),
    peakMegabytes(standing, 'sender').toFixed(0),
    peakMegabytes(standing, 'receiver').toFixed(0),
    completeness(standing),
  ];
}

/** `in order`: the bytes of the log. Otherwise all lines in another order, or the right number of records. */
function completeness({ runs, failures }: Standing): string {
  if (failures.length > 0 || runs.some(({ difference }) => difference !== undefined)) return 'NO';
  const equalities = new Set(runs.map(({ equality }) => equality));
  if (equalities.has('counted')) return 'counted';
  return equalities.has('another order') ? 'another order' : 'in order';
}
