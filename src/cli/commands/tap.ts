import type { IncomingMessage } from 'node:http';
import { Command } from 'commander';
import type { TapQuery } from '../../tap/tap-request.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { AggregatorApi } from '../monitor/api/aggregator-api.ts';
import { type ConnectionFlags, readConnection, withConnection } from '../monitor/api/connection.ts';
import { runUntilInterrupted } from '../monitor/monitor-command.ts';
import { terminalOf } from '../monitor/terminal/terminal.ts';
import { EXIT } from '../output/exit-codes.ts';
import { type Io, widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { findStateDirectories } from '../state-directories.ts';
import { checkWhere } from '../tap/check-where.ts';
import { pointsText } from '../tap/points-text.ts';
import { showTap } from '../tap/show-tap.ts';
import { ownerTapTarget, type TapTarget, urlTapTarget } from '../tap/tap-target.ts';

const EXAMPLES = `
Shows records at the moment when they pass a point. A tap never delays them: records that come faster than they can be
shown are left out, and their number is printed at the end. Without a point, the points are listed:

  collector    all, a source (tail, syslog, ...), the path of a file, a listener, or the id of a stream
  aggregator   intake; NAME:received, NAME:filtered and NAME:delivered of each emitter

Only the user of the process, and root, can tap it. An aggregator can also be tapped by its URL, with its token.

Examples:
  mega-collector tap
  mega-collector tap /var/log/nginx/access.log
  mega-collector tap intake --where 'severity >= error' --limit 20
  mega-collector tap file:filtered --json | jq -r .body
  mega-collector tap syslog --raw | head
  mega-collector tap intake --url https://logs.example:8001 --token-file token`;

interface TapFlags extends ConnectionFlags {
  readonly stateDirectory?: string;
  readonly where?: string;
  readonly limit?: string;
  readonly raw?: boolean;
  readonly attributes?: boolean;
  readonly json?: boolean;
  readonly utc?: boolean;
}

export function tapCommand({ io }: Context): Command {
  return withConnection(
    new Command('tap')
      .argument('[point]', 'Point to tap. Without it, the points are listed.')
      .option('-w, --where <expression>', 'Only records for which this expression is true.')
      .option('-n, --limit <n>', 'End after this number of records.')
      .option('--raw', 'Show the bytes of each record as they were received.')
      .option('-a, --attributes', 'Show all attributes of each record.')
      .option(
        '--state-directory <path>',
        'State directory of a collector or an aggregator; default: the configured ones.',
      )
      .option('--utc', 'Show times in UTC. [default: the time zone of this machine; JSON is always in UTC]')
      .option('--json', 'Print one JSON object per record (process), one per line.'),
  )
    .addHelpText('after', EXAMPLES)
    .action(async (point: string | undefined, flags: TapFlags) => {
      const query = queryOf(point, flags);
      await runUntilInterrupted({ io }, async (signal) => {
        const targets = await targetsOf(io, flags, signal);
        await (query === undefined
          ? listPoints(io, targets, flags)
          : tap(io, { targets, query, flags }, signal));
      });
    });
}

/** undefined: no point. Throws CommandError for invalid flags. */
function queryOf(
  point: string | undefined,
  { where, limit, raw = false, json = false }: TapFlags,
): TapQuery | undefined {
  if (raw && json) throw new CommandError('Use --raw or --json, not both.', EXIT.usage);
  if (where !== undefined) checkWhere(where);
  if (limit !== undefined && !/^[1-9][0-9]{0,8}$/.test(limit))
    throw new CommandError(`--limit must be 1 to 999999999, got ${JSON.stringify(limit)}.`, EXIT.usage);
  if (point === undefined) return undefined;
  return {
    point,
    ...(where !== undefined && { where }),
    ...(limit !== undefined && { limit: Number(limit) }),
    ...(raw && { raw }),
  };
}

async function targetsOf(io: Io, flags: TapFlags, signal: AbortSignal): Promise<readonly TapTarget[]> {
  const { url, stateDirectory } = flags;
  if (url === undefined) return (await findStateDirectories(io, stateDirectory)).map(ownerTapTarget);
  if (stateDirectory !== undefined)
    throw new CommandError('Name the process with --url or with --state-directory, not both.', EXIT.usage);
  return [urlTapTarget(new AggregatorApi(await readConnection(flags, io), signal))];
}

async function listPoints(io: Io, targets: readonly TapTarget[], { json = false }: TapFlags): Promise<void> {
  let texts = 0;
  for (const target of targets) {
    const found = await target.points();
    if (found === undefined) continue;
    const { role, place } = target;
    const separator = texts++ > 0 && !json ? '\n' : '';
    io.stdout.write(
      json
        ? `${jsonText({ role, place, ...found })}\n`
        : separator + pointsText(target, found, widthOf(io.stdout)),
    );
  }
  if (texts === 0) throw new CommandError(noProcessText(targets));
}

interface Tapping {
  readonly targets: readonly TapTarget[];
  readonly query: TapQuery;
  readonly flags: TapFlags;
}

async function tap(io: Io, { targets, query, flags }: Tapping, signal: AbortSignal): Promise<void> {
  const answer = await openFirst(targets, query, signal);
  const { json = false, raw = false, attributes = false } = flags;
  const output = io.recordOutput();
  const say = (sentence: string) => void io.stderr.write(`mega-collector: ${sentence}\n`);
  const terminal = terminalOf(io, flags);
  await showTap(answer, { output, terminal, json, raw, attributes, say }, signal);
}

/** The first process that has the point. Throws CommandError if none has. */
async function openFirst(
  targets: readonly TapTarget[],
  query: TapQuery,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const reasons: string[] = [];
  for (const target of targets) {
    const answer = await target.open(query, signal);
    if (answer === undefined) continue;
    if (!('unknown' in answer)) return answer;
    reasons.push(answer.unknown);
  }
  throw new CommandError(reasons.length === 0 ? noProcessText(targets) : reasons.join('\n'));
}

function noProcessText(targets: readonly TapTarget[]): string {
  const places = targets.map(({ role, place }) => `\n  ${role} ${place}`).join('');
  return `No process runs. Start one, or name another with --state-directory or --url.${places}`;
}
