import type { WrittenLog } from '../access-log.ts';
import { median } from '../statistics.ts';
import { table } from '../table.ts';
import type { Ingest } from './ingest.ts';
import { DAYS, type StoreQueries } from './queries.ts';

/** All runs of one contender, or the reason why there are none. */
export interface StoreStanding {
  readonly name: string;
  readonly key: string;
  readonly runs: readonly Ingest[];
  readonly failures: readonly string[];
}

/** All measurements of the stores. */
export interface StoreMeasurements {
  readonly log: WrittenLog;
  /** Versions of all participants, with their names. */
  readonly versions: readonly string[];
  readonly standings: readonly StoreStanding[];
  readonly queries: readonly StoreQueries[];
}

export function rowsPerSecond(standing: StoreStanding | undefined, log: WrittenLog): number {
  return median((standing?.runs ?? []).map(({ seconds }) => log.lines / seconds));
}

/** The highest value of all runs: a median does not show whether a limit is kept. */
export function peakIngestMegabytes(
  standing: StoreStanding | undefined,
  half: 'sender' | 'receiver',
): number {
  const peaks = (standing?.runs ?? []).map((run) => run[`${half}PeakBytes`] / 1e6);
  return peaks.length === 0 ? Number.NaN : Math.max(...peaks);
}

function ingestTable({ log, standings }: StoreMeasurements): string {
  const header = ['median', 'rows/s', 'lowest', 'highest', 'MB/s'];
  const cpu = ['CPU s/million rows: sender', 'receiver', 'database server'];
  const memory = ['peak MB: sender', 'receiver', 'disk bytes per log byte', 'complete'];
  return table(
    [...header, ...cpu, ...memory],
    standings.map((standing) => ingestRow(standing, log)),
  );
}

function ingestRow(standing: StoreStanding, log: WrittenLog): string[] {
  const { name, runs, failures } = standing;
  if (runs.length === 0) return [name, 'not run'];
  const rates = runs.map(({ seconds }) => log.lines / seconds);
  const whole = (value: number) => Math.round(value).toLocaleString('en-US');
  const cpu = (cpuSeconds: (run: Ingest) => number) => {
    const perMillion = median(runs.map((run) => (cpuSeconds(run) / log.lines) * 1e6));
    return perMillion === 0 ? '-' : perMillion.toFixed(1);
  };
  const peak = (half: 'sender' | 'receiver') => {
    const megabytes = peakIngestMegabytes(standing, half);
    return megabytes === 0 ? '-' : megabytes.toFixed(0);
  };
  const isComplete = failures.length === 0 && runs.every(({ stored }) => stored.rows === log.lines);
  return [
    name,
    ...[median(rates), Math.min(...rates), Math.max(...rates)].map(whole),
    (median(rates) * (log.bytes / log.lines / 1e6)).toFixed(1),
    cpu((run) => run.senderCpuSeconds),
    cpu((run) => run.receiverCpuSeconds),
    cpu((run) => run.databaseCpuSeconds),
    peak('sender'),
    peak('receiver'),
    median(runs.map(({ stored }) => stored.bytes / log.bytes)).toFixed(2),
    isComplete ? 'yes' : 'NO',
  ];
}

/** Everything about the stores, for the report. */
export function storeReport(measurements: StoreMeasurements, rounds: number): string[] {
  const { log, versions, queries } = measurements;
  const size = `${Math.round(log.bytes / 1e6)} MB, ${log.lines.toLocaleString('en-US')} lines, ${rounds} rounds`;
  const parts = ['### From file to store', `${versions.join('; ')}.\n${size}.`, ingestTable(measurements)];
  if (queries.length > 0) parts.push('### Questions to the stores', queryTable(queries));
  return parts;
}

/** A row for each query; for each store a column for one day, and one for all days if it contains them. */
function queryTable(stores: readonly StoreQueries[]): string {
  const columns = stores.flatMap(({ store, rows, queries }) => {
    const title = `${store}, ${(rows / 1e6).toLocaleString('en-US')} million rows: a day`;
    const day = { title, times: queries.map(({ dayMs }) => dayMs) };
    const all = {
      title: `all ${DAYS} days`,
      times: queries.flatMap(({ allMs }) => (allMs === undefined ? [] : [allMs])),
    };
    return all.times.length === 0 ? [day] : [day, all];
  });
  const names = stores[0]?.queries.map(({ name }) => name) ?? [];
  return table(
    ['median ms', ...columns.map(({ title }) => title)],
    names.map((name, index) => [name, ...columns.map(({ times }) => times[index]?.toFixed(0) ?? '')]),
  );
}

/** The slowest query of one day. */
export function slowestDayMs(queries: readonly StoreQueries[], store: string): number {
  const found = queries.find((each) => each.store === store);
  return found === undefined ? Number.NaN : Math.max(...found.queries.map(({ dayMs }) => dayMs));
}
