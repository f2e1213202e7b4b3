import { median } from './statistics.ts';
import { table } from './table.ts';
import type { Transfer } from './transfer.ts';
import type { Standing } from './transfer-table.ts';

export interface LogSizes {
  readonly bytes: number;
  readonly smallBytes: number;
}

/**
 * The CPU of one more GB, in seconds: the difference between a large and a small log of the same round. It
 * contains neither the start nor the warm-up of a program.
 */
export function slopeTable(standings: readonly Standing[], sizes: LogSizes): string {
  const rows = standings
    .filter((standing) => slopes(standing, sizes, both).length > 0)
    .map((standing) => {
      const all = slopes(standing, sizes, both);
      const half = (name: 'sender' | 'receiver') =>
        median(slopes(standing, sizes, (run) => run[name].cpuSeconds)).toFixed(1);
      return [
        standing.name,
        half('sender'),
        half('receiver'),
        median(all).toFixed(1),
        Math.min(...all).toFixed(1),
        Math.max(...all).toFixed(1),
      ];
    });
  const header = ['median', 'CPU s per GB: sender', 'receiver', 'both', 'lowest', 'highest'];
  return rows.length === 0 ? '' : table(header, rows);
}

/** The median slope of both halves; NaN without runs of both sizes. */
export function cpuSlope(standing: Standing | undefined, sizes: LogSizes): number {
  return standing === undefined ? Number.NaN : median(slopes(standing, sizes, both));
}

function both({ sender, receiver }: Transfer): number {
  return sender.cpuSeconds + receiver.cpuSeconds;
}

function slopes(
  { runs, smallRuns = [] }: Standing,
  { bytes, smallBytes }: LogSizes,
  cpu: (run: Transfer) => number,
): number[] {
  const gigabytes = (bytes - smallBytes) / 1e9;
  return runs.slice(0, smallRuns.length).map((run, round) => {
    const small = smallRuns[round];
    return small === undefined ? Number.NaN : (cpu(run) - cpu(small)) / gigabytes;
  });
}
