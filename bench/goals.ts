import type { WrittenLog } from './access-log.ts';
import type { FilterMeasurements } from './filters/filter-table.ts';
import type { FormatCost } from './formats.ts';
import type { Latency } from './measurements/latency.ts';
import type { ManyFilesRun } from './measurements/many-files.ts';
import { type PgLogfebeRun, STEADY_RECORDS_PER_SECOND } from './measurements/pg-logfebe.ts';
import { THROUGH_RABBITMQ } from './peers/rabbitmq.ts';
import { cpuSlope, type LogSizes } from './slope-table.ts';
import {
  peakIngestMegabytes,
  rowsPerSecond,
  type StoreMeasurements,
  slowestDayMs,
} from './store/store-table.ts';
import {
  MANY_TCP_COURSE,
  MANY_UDP_COURSE,
  OMRELP_COURSE,
  RELP_COURSE,
  type SyslogRun,
  TCP_COURSE,
} from './syslog/measure-syslog.ts';
import { syslogRate } from './syslog/syslog-table.ts';
import { table } from './table.ts';
import { OURS, peakMegabytes, type Standing, speed } from './transfer-table.ts';

export interface Measured {
  readonly log: WrittenLog;
  /** The log of the small runs. */
  readonly smallLog: WrittenLog;
  readonly transfers: readonly Standing[];
  readonly link: readonly Standing[];
  readonly latencies: readonly Latency[];
  readonly manyFiles: readonly ManyFilesRun[];
  /** The collector's peak with the aggregator stopped, in MB: for the small log and for the large one. */
  readonly stopped: readonly StoppedRow[];
  readonly sockets: readonly PgLogfebeRun[];
  readonly syslog: readonly SyslogRun[];
  readonly formats: readonly FormatCost[];
  /** The pair directly, and through RabbitMQ. */
  readonly broker: readonly Standing[];
  readonly stores: StoreMeasurements | undefined;
  readonly filters: FilterMeasurements | undefined;
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
  const { log, transfers, link, latencies, manyFiles, stopped, sockets, syslog, formats, stores } = measured;
  const of = (standings: readonly Standing[], key: string) => standings.find((one) => one.key === key);
  const ours = of(transfers, OURS);
  const times = (key: string, least: number, name: string): Goal =>
    atLeast(`${least} x ${name}`, speed(ours, log) / speed(of(transfers, key), log), least, 'x');
  const sizes: LogSizes = { bytes: log.bytes, smallBytes: measured.smallLog.bytes };
  const linkRatio = speed(of(link, OURS), log) / speed(of(link, 'rsyslog-tcp'), log);
  return [
    times('rsyslog-tcp', 2.5, 'rsyslog over TCP'),
    times('rsyslog-relp', 8, 'rsyslog over RELP'),
    times('fluent-bit', 2, 'Fluent Bit with acknowledgements'),
    times('syslog-ng', 6, 'syslog-ng over TCP'),
    times('raw-pipe', 0.7, 'the raw pipe'),
    atLeast('rsyslog over TCP through the 10 ms link', linkRatio, 1, 'x'),
    atMost('CPU of both halves for one more GB, s', cpuSlope(ours, sizes), 4, 's'),
    atMost("the collector's peak memory", peakMegabytes(ours, 'sender'), 100, 'MB'),
    atMost("the aggregator's peak memory", peakMegabytes(ours, 'receiver'), 170, 'MB'),
    atMost("the collector's growth with the log, aggregator stopped", growth(stopped), 10, 'MB'),
    ...latencies.map(({ besideMegabytesPerSecond: beside, p99Ms }) =>
      beside === 0
        ? atMost('latency at 5,000 lines/s, p99', p99Ms, 15, 'ms')
        : atMost(`the same while another file grows by ${beside} MB/s`, p99Ms, 50, 'ms'),
    ),
    ...manyFilesGoals(manyFiles),
    ...socketGoals(sockets),
    ...syslogGoals(syslog, formats),
    atLeast(
      '0.4 x the direct pair, through RabbitMQ',
      speed(of(measured.broker, THROUGH_RABBITMQ), log) / speed(of(measured.broker, OURS), log),
      0.4,
      'x',
    ),
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

function syslogGoals(runs: readonly SyslogRun[], costs: readonly FormatCost[]): Goal[] {
  const ours = (course: string) => syslogRate(runs, course, 'mega-collector');
  const rsyslog = (course: string) => syslogRate(runs, course, 'rsyslog');
  const smallest = (course: string) =>
    Math.min(
      ...runs
        .filter((run) => run.course === course)
        .map((run) => run.batchMessages ?? Number.POSITIVE_INFINITY),
    );
  const batches = (course: string) =>
    atLeast(`messages a batch, ${course}`, smallest(course), 10, 'messages');
  return [
    atLeast('1.3 x rsyslog, syslog over TCP', ours(TCP_COURSE) / rsyslog(TCP_COURSE), 1.3, 'x'),
    atLeast('3 x omrelp to imrelp, RELP with window 128', ours(RELP_COURSE) / rsyslog(OMRELP_COURSE), 3, 'x'),
    batches(MANY_TCP_COURSE),
    batches(MANY_UDP_COURSE),
    ...costs
      .filter(({ format }) => format === 'syslog')
      .map(({ label, microseconds }) => atMost(`CPU of a record, ${label}`, microseconds, 1, 'us')),
  ];
}

function storeGoals({ log, standings, queries }: StoreMeasurements): Goal[] {
  const of = (key: string) => standings.find((one) => one.key === key);
  const rate = (key: string) => rowsPerSecond(of(key), log);
  const times = (key: string, name: string) =>
    atLeast(`5 x ${name} into PostgreSQL`, rate('ours-postgres') / rate(key), 5, 'x');
  return [
    atLeast('200,000 rows/s into DuckDB', rate('ours-duckdb'), 200_000, 'rows/s'),
    atLeast('ClickHouse / DuckDB, rows/s', rate('ours-clickhouse') / rate('ours-duckdb'), 1, 'x'),
    atLeast('200,000 rows/s into PostgreSQL', rate('ours-postgres'), 200_000, 'rows/s'),
    times('ompgsql-1', 'ompgsql in order'),
    times('ompgsql-8', 'ompgsql with 8 workers'),
    atMost(
      "the aggregator's peak memory with DuckDB",
      peakIngestMegabytes(of('ours-duckdb'), 'receiver'),
      400,
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
    atMost(
      'a question about a day to ClickHouse, the slowest',
      slowestDayMs(queries, 'ClickHouse'),
      500,
      'ms',
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
