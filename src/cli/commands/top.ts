import { Command, Option } from 'commander';
import { type TopStreamsKey, topStreamsKey } from '../../collector/collector-reports.ts';
import { systemClock } from '../../runtime/clock.ts';
import { durationToMs, parseDuration } from '../../runtime/configuration/duration.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { type ConnectionFlags, withConnection } from '../monitor/api/connection.ts';
import { openApi, runUntilInterrupted } from '../monitor/monitor-command.ts';
import { terminalOf } from '../monitor/terminal/terminal.ts';
import { EXIT } from '../output/exit-codes.ts';
import type { Io } from '../output/io.ts';
import { findStateDirectories } from '../state-directories.ts';
import { observeLive } from '../top/observe-live.ts';
import { printSample } from '../top/print-sample.ts';
import { TopObserver } from '../top/top-observer.ts';
import type { TopTarget } from '../top/top-reading.ts';
import { ownerTarget, urlTarget } from '../top/top-targets.ts';

const EXAMPLES = `
Shows the collector and the aggregator on this machine, or an aggregator by its URL. Keys: q quits; r, b, l and n sort
the streams by rate, backlog, lag or name. LAG is the age of the oldest record that is not accepted or delivered; ETA is
the time until the backlog is empty at the present rate. Rates are measured between two readings. Without a terminal,
and with --once or --json, one sample is printed.

Examples:
  mega-collector top
  mega-collector top --sort backlog --interval 5s
  mega-collector top --url https://logs.example:8001 --token-file token
  mega-collector top --once --limit 50
  mega-collector top --json | jq '.emitters[]? | {emitter, lagSeconds, catchUpSeconds}'`;

interface TopFlags extends ConnectionFlags {
  readonly stateDirectory?: string;
  readonly interval: string;
  readonly sort: TopStreamsKey;
  readonly limit: string;
  readonly once?: boolean;
  readonly json?: boolean;
  readonly utc?: boolean;
}

export function topCommand({ io }: Context): Command {
  return withConnection(
    new Command('top')
      .option(
        '--state-directory <path>',
        'State directory of a collector or an aggregator; default: the configured ones.',
      )
      .option('-i, --interval <duration>', 'Time between two readings. [default 2s]', '2s')
      .addOption(
        new Option('-s, --sort <key>', 'Order of the streams: rate, backlog, lag or name. [default rate]')
          .choices(topStreamsKey.options)
          .default('rate'),
      )
      .option('-n, --limit <n>', 'Streams of one sample, at most 1000. [default 20]', '20')
      .option('--once', 'Print one sample and end.')
      .option('--utc', 'Show the time in UTC. [default: the time zone of this machine]')
      .option('--json', 'Print one sample as JSON: one object per process, one per line.'),
  )
    .addHelpText('after', EXAMPLES)
    .action(async (flags: TopFlags) => {
      const { json = false, once = false, sort: key } = flags;
      const intervalMs = intervalOf(flags.interval);
      const limit = limitOf(flags.limit);
      const observers = (await targetsOf(io, flags)).map((target) => new TopObserver(target));
      const terminal = terminalOf(io, flags);
      const shared = { observers, terminal, clock: systemClock, intervalMs, key };
      const write = (text: string) => void io.stdout.write(text);
      await runUntilInterrupted({ io }, async (signal) => {
        if (once || json || !terminal.isTerminal)
          return printSample({ ...shared, limit, json, write }, signal);
        const quitting = new AbortController();
        const quit = () => quitting.abort();
        signal.addEventListener('abort', quit, { once: true });
        return observeLive({ ...shared, io, quit }, quitting.signal);
      });
    });
}

async function targetsOf(io: Io, flags: TopFlags): Promise<readonly TopTarget[]> {
  const { url, stateDirectory } = flags;
  if (url === undefined) {
    const directories = await findStateDirectories(io, stateDirectory);
    return directories.map((directory) => ownerTarget(directory));
  }
  if (stateDirectory !== undefined)
    throw new CommandError('Name the process with --url or with --state-directory, not both.', EXIT.usage);
  return [urlTarget(await openApi({ ...flags, wait: '0s' }, io))];
}

const MIN_INTERVAL_MS = 500;
const MAX_INTERVAL_MS = 3_600_000;

function intervalOf(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined || ms < MIN_INTERVAL_MS || ms > MAX_INTERVAL_MS)
    throw new CommandError(
      `--interval must be a duration from 500ms to 1h, such as 2s; got ${JSON.stringify(text)}.`,
      EXIT.usage,
    );
  return ms;
}

function readDuration(text: string): number | undefined {
  try {
    return durationToMs(parseDuration(text));
  } catch {
    return undefined;
  }
}

const MAX_LIMIT = 1000;

function limitOf(text: string): number {
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw new CommandError(`--limit must be 1 to ${MAX_LIMIT}, got ${JSON.stringify(text)}.`, EXIT.usage);
  return limit;
}
