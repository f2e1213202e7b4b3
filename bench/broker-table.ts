import type { WrittenLog } from './access-log.ts';
import { BROKER, EDGE } from './peers/rabbitmq.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';
import { cpuPerGigabyte, OURS, type Standing, speed } from './transfer-table.ts';

const HEADER = [
  'median',
  'MB/s',
  'share of the direct pair',
  'CPU s/GB collector',
  'edge aggregator',
  'broker',
  'last aggregator',
  'complete',
];

/** The pair and the same through a broker, with the CPU time of each part. */
export function brokerTable(standings: readonly Standing[], log: WrittenLog): string {
  const direct = speed(
    standings.find(({ key }) => key === OURS),
    log,
  );
  return table(
    HEADER,
    standings.map((standing) => {
      const { name, runs, failures } = standing;
      if (runs.length === 0) return [name, 'not run'];
      const isComplete = failures.length === 0 && runs.every(({ difference }) => difference === undefined);
      return [
        name,
        speed(standing, log).toFixed(0),
        `${((speed(standing, log) / direct) * 100).toFixed(0)} %`,
        cpuPerGigabyte(standing, log, 'sender').toFixed(1),
        ...[EDGE, BROKER].map((part) => betweenPerGigabyte(standing, log, part)),
        cpuPerGigabyte(standing, log, 'receiver').toFixed(1),
        isComplete ? 'in order' : 'NO',
      ];
    }),
  );
}

function betweenPerGigabyte({ runs }: Standing, log: WrittenLog, part: string): string {
  const values = runs.flatMap(({ between }) => between?.get(part) ?? []);
  return values.length === 0 ? '' : (median(values) / (log.bytes / 1e9)).toFixed(1);
}
