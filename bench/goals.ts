import type { WrittenLog } from './access-log.ts';
import type { Latency } from './measurements/latency.ts';
import type { ManyFilesRun } from './measurements/many-files.ts';
import { type PgLogfebeRun, STEADY_RECORDS_PER_SECOND } from './measurements/pg-logfebe.ts';
import {
  peakIngestMegabytes,
  rowsPerSecond,
  type StoreMeasurements,
  slowestDayMs,
} from './store/store-table.ts';
import { table } from './table.ts';
import { cpuPerGigabyte, OURS, peakMegabytes, type Standing, speed } from './transfer-table.ts';

export interface Measured {
  readonly log: WrittenLog;
  readonly transfers: readonly Standing[];
  readonly link: readonly Standing[];
  readonly latency: Latency | undefined;
  readonly manyFiles: readonly ManyFilesRun[];
  /** The collector's peak with the aggregator stopped, in MB: for the small log and for the large one. */
  readonly stopped: readonly StoppedRow[];
  readonly sockets: readonly PgLogfebeRun[];
  readonly stores: StoreMeasurements | undefined;
}

export interface StoppedRow {
  readonly aggregator: string;
  readonly logMegabytes: number;
  readonly peakMegabytes: number;
}

interface Goal {
  readonly text: string;
  readonly value: number;
  readonly format: (value: number) => string;
  readonly reached: (value: number) => boolean;
}

/** The goals of the product, and whether this run reached them. Goals without a measurement are omitted. */
export function goalTable(measured: Measured): string {
  const rows = goals(measured)
    .filter(({ value }) => Number.isFinite(value))
    .map(({ text, value, format, reached }) => [text, format(value), reached(value) ? 'yes' : 'NO']);
  return rows.length === 0 ? '' : table(['goal', 'measured', 'reached'], rows);
}

function goals(measured: Measured): Goal[] {
  const { log, transfers, link, latency, manyFiles, stopped, sockets, stores } = measured;
  const of = (standings: readonly Standing[], key: string) => standings.find((one) => one.key === key);
  const ours = of(transfers, OURS);
  const times = (key: string, least: number, name: string): Goal =>
    atLeast(`${least} x ${name}`, speed(ours, log) / speed(of(transfers, key), log), least, 'x');
  const cpu = cpuPerGigabyte(ours, log, 'sender') + cpuPerGigabyte(ours, log, 'receiver');
  const linkRatio = speed(of(link, OURS), log) / speed(of(link, 'rsyslog-tcp'), log);
  return [
    times('rsyslog-tcp', 2.5, 'rsyslog over TCP'),
    times('rsyslog-relp', 8, 'rsyslog over RELP'),
    times('syslog-ng', 4, 'syslog-ng over TCP'),
    times('raw-pipe', 0.35, 'the raw pipe'),
    atLeast('rsyslog over TCP through the 10 ms link', linkRatio, 1, 'x'),
    atMost('CPU of both halves, s per GB', cpu, 6, 's'),
    atMost("the collector's peak memory", peakMegabytes(ours, 'sender'), 120, 'MB'),
    atMost("the aggregator's peak memory", peakMegabytes(ours, 'receiver'), 200, 'MB'),
    atMost("the collector's growth with the log, aggregator stopped", growth(stopped), 10, 'MB'),
    atMost('latency at 5,000 lines/s, p99', latency?.p99Ms ?? Number.NaN, 50, 'ms'),
    ...manyFilesGoals(manyFiles),
    ...socketGoals(sockets),
    ...(stores === undefined ? [] : storeGoals(stores)),
  ];
}

function manyFilesGoals(runs: readonly ManyFilesRun[]): Goal[] {
  const of = (files: number) => runs.find((run) => run.files === files);
  const idlePercent = (of(1_000)?.idleCollector ?? Number.NaN) * 100;
  const growth = (of(20_000)?.allLinesMs ?? Number.NaN) / (of(10_000)?.allLinesMs ?? Number.NaN);
  return [
    atMost('collector with 1,000 idle files, % of a core', idlePercent, 2, '%'),
    atMost('first line of 10,000 files, s', (of(10_000)?.firstLineMs ?? Number.NaN) / 1000, 1, 's'),
    atMost('all lines of 20,000 files, compared with 10,000', growth, 2.5, 'x'),
  ];
}

function socketGoals(runs: readonly PgLogfebeRun[]): Goal[] {
  const rate = `${STEADY_RECORDS_PER_SECOND.toLocaleString('en-US')} records/s over sockets`;
  return runs
    .filter(({ wantedPerSecond }) => wantedPerSecond === STEADY_RECORDS_PER_SECOND)
    .flatMap(({ name, lostRecords, waitedWrites }) => [
      atMost(`${rate}, ${name}: lost`, lostRecords, 0, 'records'),
      atMost(`${rate}, ${name}: writes that had to wait`, waitedWrites, 0, ''),
    ]);
}

function storeGoals({ log, standings, queries }: StoreMeasurements): Goal[] {
  const of = (key: string) => standings.find((one) => one.key === key);
  const rate = (key: string) => rowsPerSecond(of(key), log);
  const times = (key: string, name: string) =>
    atLeast(`5 x ${name} into PostgreSQL`, rate('ours-postgres') / rate(key), 5, 'x');
  return [
    atLeast('150,000 rows/s into DuckDB', rate('ours-duckdb'), 150_000, 'rows/s'),
    times('ompgsql-1', 'ompgsql in order'),
    times('ompgsql-8', 'ompgsql with 8 workers'),
    // The limit of an aggregator, and the memory of DuckDB.
    atMost(
      "the aggregator's peak memory with DuckDB",
      peakIngestMegabytes(of('ours-duckdb'), 'receiver'),
      456,
      'MB',
    ),
    atMost(
      "the aggregator's peak memory with PostgreSQL",
      peakIngestMegabytes(of('ours-postgres'), 'receiver'),
      200,
      'MB',
    ),
    ...['DuckDB', 'PostgreSQL'].map((store) =>
      atMost(`a question about a day to ${store}, the slowest`, slowestDayMs(queries, store), 300, 'ms'),
    ),
  ];
}

/** The largest growth from the smallest log to the largest, over the kinds of absence. */
function growth(rows: readonly StoppedRow[]): number {
  const kinds = [...new Set(rows.map(({ aggregator }) => aggregator))];
  return Math.max(
    ...kinds.map((kind) => {
      const peaks = rows
        .filter(({ aggregator }) => aggregator === kind)
        .sort((a, b) => a.logMegabytes - b.logMegabytes)
        .map(({ peakMegabytes }) => peakMegabytes);
      return (peaks.at(-1) ?? Number.NaN) - (peaks[0] ?? Number.NaN);
    }),
  );
}

function atLeast(text: string, value: number, least: number, unit: string): Goal {
  return {
    text: `at least ${text}`,
    value,
    format: (found) =>
      `${found < 1000 ? found.toFixed(2) : Math.round(found).toLocaleString('en-US')} ${unit}`,
    reached: (found) => found >= least,
  };
}

function atMost(text: string, value: number, most: number, unit: string): Goal {
  return {
    text: `${text}: at most ${most}`,
    value,
    format: (found) => `${found.toFixed(1)} ${unit}`.trimEnd(),
    reached: (found) => found <= most,
  };
}
