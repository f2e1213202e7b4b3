import type { PgLogfebeRun } from './measurements/pg-logfebe.ts';
import { table } from './table.ts';

export function socketTable(runs: readonly PgLogfebeRun[]): string {
  const whole = (value: number) => Math.round(value).toLocaleString('en-US');
  const rows = runs.map((run) => [
    run.name,
    whole(run.recordsPerSecond),
    run.megabytesPerSecond.toFixed(1),
    whole(run.lostRecords),
    whole(run.waitedWrites),
    run.slowestWriteMs.toFixed(0),
    run.collectorCpu.toFixed(1),
    run.aggregatorCpu.toFixed(1),
    whole(run.collectorPeakBytes / 1e6),
    whole(run.aggregatorPeakBytes / 1e6),
    Number.isNaN(run.behindSeconds) ? '-' : run.behindSeconds.toFixed(1),
  ]);
  const header = ['', 'records/s', 'MB/s', 'lost', 'writes that waited', 'slowest write, ms'];
  const costs = ['collector CPU, s/million', 'aggregator CPU', 'collector MB', 'aggregator MB', 'behind, s'];
  return table([...header, ...costs], rows);
}
