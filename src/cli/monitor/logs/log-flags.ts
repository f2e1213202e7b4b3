import type { Command } from 'commander';
import { z } from 'zod';
import {
  type HistogramRequest,
  histogramRequest,
  SEVERITIES,
  type SearchRequest,
  searchRequest,
  type TailRequest,
  tailRequest,
  type ValuesRequest,
  valuesRequest,
} from '../../../logstore/logs/log-requests.ts';
import { CommandError } from '../../command-error.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { type FlagNames, FlagValues } from '../flag-values.ts';
import { collect } from '../metrics/metric-flags.ts';
import { withOldFlags } from '../with-old-flags.ts';

export interface LogFlags {
  readonly utc?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly severity?: string;
  readonly host?: string;
  readonly service?: string;
  readonly where?: readonly string[];
  readonly limit?: string;
  readonly follow?: boolean;
  readonly histogram?: boolean;
  readonly interval?: string;
  readonly values?: string;
}

/** The checked requests for the records to show. */
export type LogQuestion =
  | { readonly kind: 'search'; readonly request: SearchRequest }
  /** `recent`: records to show before the new ones; undefined: none. */
  | { readonly kind: 'follow'; readonly request: TailRequest; readonly recent: SearchRequest | undefined }
  | { readonly kind: 'histogram'; readonly request: HistogramRequest }
  | { readonly kind: 'values'; readonly request: ValuesRequest };

/** The records are kept in memory, to show the newest last. */
const MOST_RECORDS = 100_000;
const DEFAULT_RECORDS = 100;
const DEFAULT_RECENT = 10;

const FLAGS: FlagNames = {
  text: 'TEXT',
  from: '--from',
  to: '--to',
  severity: '--severity',
  host: '--host',
  service: '--service',
  where: '--where',
  limit: '-n',
  intervalSeconds: '--interval',
  property: '--values',
};

export function withLogFlags(command: Command): Command {
  const limit = `${DEFAULT_RECORDS}; with --follow ${DEFAULT_RECENT}`;
  return withQuestionFlags(command, limit).option('-f, --follow', 'Also show new records, until Ctrl-C.');
}

/** Adds the flags for queries of existing records. */
export function withQuestionFlags(command: Command, defaultLimit = `${DEFAULT_RECORDS}`): Command {
  const withFlags = command
    .option(
      '--from <time>',
      'Start time: 15m or 3d (ago), today, yesterday, 2026-01-31, 2026-01-31T10:00:00Z, 1769853600.',
    )
    .option('--to <time>', 'End time (exclusive), in the same forms.')
    .option('-s, --severity <severity>', `Minimum severity: ${SEVERITIES.join(', ')}.`)
    .option('-H, --host <name>', 'Only records with this host.name.')
    .option('-S, --service <name>', 'Only records with this service.name.')
    .option(
      '-w, --where <condition>',
      "Only records with this value (status_code=500), or for which this expression is true ('status_code >= 500'). May be repeated.",
      collect,
    )
    .option('-n, --limit <n>', `Show the newest N records. [default ${defaultLimit}]`)
    .option('--histogram', 'Show the number of records over time. [default: of the last 24h]')
    .option('--interval <time>', 'Interval of the histogram: seconds, or 10s, 1h.')
    .option('--values <property>', 'Show the number of records for each value of this property.');
  return withOldFlags(withFlags, { '--number': 'limit' });
}

/** Throws CommandError. */
export function logQuestion(text: string | undefined, flags: LogFlags): LogQuestion {
  refuseContradictions(flags);
  const values = new FlagValues();
  const { severity, host, service } = flags;
  const timeZone = flags.utc ? 'utc' : 'local';
  const from = values.moment('--from', flags.from, timeZone);
  const to = values.moment('--to', flags.to, timeZone);
  const filter = { text, severity, host, service, where: values.pairs('--where', flags.where) };
  const limit = values.number('-n', flags.limit);
  if (flags.histogram) {
    const intervalSeconds = values.seconds('--interval', flags.interval);
    const asked = { ...filter, from, to, intervalSeconds };
    return { kind: 'histogram', request: values.checked(histogramRequest, asked, FLAGS) };
  }
  if (flags.values !== undefined) {
    const asked = { ...filter, from, to, property: flags.values, limit };
    return { kind: 'values', request: values.checked(valuesRequest, asked, FLAGS) };
  }
  if (!flags.follow) {
    const asked = { ...filter, from, to, limit: limit ?? DEFAULT_RECORDS };
    return { kind: 'search', request: values.checked(search(1), asked, FLAGS) };
  }
  const asked = { ...filter, from, limit: limit ?? DEFAULT_RECENT };
  const recent = values.checked(search(0), asked, FLAGS);
  return {
    kind: 'follow',
    request: tailRequest.parse(filter),
    recent: recent.limit > 0 ? recent : undefined,
  };
}

/** Several pages may be requested, one after another. */
function search(least: number) {
  return z.strictObject({ ...searchRequest.shape, limit: z.int().min(least).max(MOST_RECORDS) });
}

function refuseContradictions({ follow, histogram, values, to, interval, limit }: LogFlags): void {
  const kinds = [follow && '--follow', histogram && '--histogram', values !== undefined && '--values'].filter(
    (each) => typeof each === 'string',
  );
  const usage = (message: string) => new CommandError(message, EXIT.usage);
  if (kinds.length > 1) throw usage(`Use only one of ${kinds.join(' and ')}.`);
  if (follow && to !== undefined) throw usage('--follow cannot be combined with --to.');
  if (interval !== undefined && !histogram) throw usage('--interval requires --histogram.');
  if (histogram && limit !== undefined)
    throw usage('-n cannot be combined with --histogram, which counts all records.');
}
