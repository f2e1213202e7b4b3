import type { ManyFilesRun } from './measurements/many-files.ts';
import { table } from './table.ts';

export function manyFilesTable(runs: readonly ManyFilesRun[]): string {
  return table(
    ['files', 'first line s', 'all lines s', 'idle collector, % of a core', 'idle aggregator, % of a core'],
    runs.map(({ files, firstLineMs, allLinesMs, idleCollector, idleAggregator }) => [
      files.toLocaleString('en-US'),
      ...[firstLineMs, allLinesMs].map((ms) => (ms / 1000).toFixed(1)),
      ...[idleCollector, idleAggregator].map((share) => (share * 100).toFixed(2)),
    ]),
  );
}
