import { median } from '../statistics.ts';
import { table } from '../table.ts';
import type { FilterLog } from './filter-log.ts';
import type { FilterRun } from './run-filter.ts';

/** All runs of one program with a correct output, and the reasons why others failed. */
export interface FilterStanding {
  readonly name: string;
  readonly key: string;
  readonly version: string;
  readonly runs: readonly FilterRun[];
  readonly failures: readonly string[];
}

export interface FilterMeasurements {
  readonly log: FilterLog;
  readonly rounds: number;
  readonly standings: readonly FilterStanding[];
}

/** The program that the others are compared with. */
const OURS = 'ours-grok';
const HEADER = [
  ...['median', 'records/s', 'lowest', 'highest', 'ours is'],
  ...['CPU s/million records', 'ours needs', 'peak MB', 'correct'],
];

/** The part of the report about filters. */
export function filterReport(measurements: FilterMeasurements): string[] {
  const { log, rounds, standings } = measurements;
  const { records, marked } = log.expected;
  const whole = (value: number) => value.toLocaleString('en-US');
  const size = `${Math.round(log.bytes / 1e6)} MB, ${whole(log.lines)} lines, of which ${whole(records)} are kept and ${whole(marked)} are marked; ${rounds} rounds.`;
  const versions = standings.map(({ name, version }) => `${name} ${version}`).join('; ');
  return [
    '### Filters: parse an access log, drop, mark, write JSON',
    `${versions}.\n${size}`,
    filterTable(measurements),
  ];
}

function filterTable({ log, standings }: FilterMeasurements): string {
  const ours = standings.find(({ key }) => key === OURS);
  return table(
    HEADER,
    standings.map((standing) => row(standing, ours, log.lines)),
  );
}

function row(standing: FilterStanding, ours: FilterStanding | undefined, lines: number): string[] {
  const { name, runs, failures } = standing;
  if (runs.length === 0) return [name, failures.length === 0 ? 'not run' : 'FAILED'];
  const rates = runs.map(({ seconds }) => lines / seconds);
  const cpu = medianOf(standing, 'cpuSeconds');
  return [
    name,
    ...[median(rates), Math.min(...rates), Math.max(...rates)].map((rate) =>
      Math.round(rate).toLocaleString('en-US'),
    ),
    times(medianOf(standing, 'seconds') / medianOf(ours, 'seconds')),
    ((cpu / lines) * 1e6).toFixed(1),
    times(medianOf(ours, 'cpuSeconds') / cpu),
    (Math.max(...runs.map(({ peakMemoryBytes }) => peakMemoryBytes)) / 1e6).toFixed(0),
    failures.length === 0 ? 'yes' : 'NO',
  ];
}

/** NaN without a run. */
function medianOf(standing: FilterStanding | undefined, value: 'seconds' | 'cpuSeconds'): number {
  return median((standing?.runs ?? []).map((run) => run[value]));
}

function times(ratio: number): string {
  return Number.isNaN(ratio) ? '-' : `${ratio.toFixed(2)} x`;
}
