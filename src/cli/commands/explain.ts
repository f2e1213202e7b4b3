import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { explainCollectorFile, listCollectors } from '../../aggregator/api/operations/intake-operations.ts';
import type { CollectorReport } from '../../aggregator/api/operations/intake-reports.ts';
import { fileExplanation } from '../../collector/collector-reports.ts';
import { explainFile } from '../../collector/operations.ts';
import { callOwner } from '../call-owner.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { explanationText } from '../explanation-text.ts';
import { type ConnectionFlags, withConnection } from '../monitor/api/connection.ts';
import { openApi } from '../monitor/monitor-command.ts';
import { type Io, widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { printable } from '../output/text-table.ts';
import { formatParagraph } from '../output/wrap-text.ts';
import { findStateDirectories, type KnownStateDirectory } from '../state-directories.ts';

const EXAMPLES = `
Examples:
  mega-collector explain /var/log/nginx/access.log
  mega-collector explain /var/log/nginx/access.log.2.gz --json
  mega-collector explain syslog                   # its listeners, and the senders that they rejected
  mega-collector explain tls://0.0.0.0:6514
  mega-collector explain 10.0.0.5                 # whether this sender is accepted, or why not
  mega-collector explain /var/log/app.log --collector web-1 --url http://logs.example.com:8001`;

interface ExplainFlags extends ConnectionFlags {
  readonly stateDirectory?: string;
  readonly collector?: string;
  readonly json?: boolean;
}

export function explainCommand({ io }: Context): Command {
  return withConnection(new Command('explain'))
    .argument('<file>', 'Path of the file; or `syslog`, the address of a listener, or that of a sender.')
    .option('--state-directory <path>', 'State directory of the collector; default: the configured one.')
    .option(
      '--collector <host>',
      'Ask the collector on another host through its aggregator. If the host has several, give the id of one.',
    )
    .option('--json', 'Print JSON.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: ExplainFlags) => {
      if (flags.collector === undefined) await explainHere(io, file, flags);
      else await explainThere(io, file, { ...flags, collector: flags.collector });
    });
}

async function explainHere(io: Io, file: string, { stateDirectory, json }: ExplainFlags): Promise<void> {
  const path = isNoFile(file) ? file : resolve(file);
  const width = widthOf(io.stdout);
  const directories = await findStateDirectories(io, stateDirectory, ['collector']);
  for (const [index, directory] of directories.entries()) {
    const { answer } = await callOwner(io, directory, explainFile, { query: { path } });
    const heading = directories.length > 1 ? headingOf(directory, index, width) : '';
    io.stdout.write(json ? `${jsonText(answer, 2)}\n` : heading + explanationText(answer, width));
  }
}

/** The path is one of the other host: the working directory here has no meaning. */
async function explainThere(
  io: Io,
  file: string,
  { collector, json, ...flags }: ExplainFlags & { readonly collector: string },
): Promise<void> {
  const api = await openApi(flags, io);
  const { collectors } = await api.call(listCollectors, {});
  const { id } = collectorNamed(collector, collectors);
  const input = { parameters: { id }, query: { file } };
  const answer = fileExplanation.parse(await api.call(explainCollectorFile, input));
  io.stdout.write(json ? `${jsonText(answer, 2)}\n` : explanationText(answer, widthOf(io.stdout)));
}

/** One that is connected comes before those of the same host that are not: an earlier state directory had another id. */
function collectorNamed(name: string, collectors: readonly CollectorReport[]): CollectorReport {
  const found = collectors.filter(({ id, host }) => id === name || host === name);
  const connected = found.filter((each) => each.connected);
  const chosen = connected.length > 0 ? connected : found;
  const [one] = chosen;
  const named = JSON.stringify(name);
  if (one === undefined)
    throw new CommandError(
      `Cannot find the collector ${named}. The aggregator knows: ${collectors.map(({ host }) => host).join(', ') || 'none'}.`,
    );
  if (chosen.length > 1)
    throw new CommandError(
      `Cannot choose a collector: ${chosen.length} have the host ${named}. Set --collector to one of their ids: ${chosen.map(({ id }) => id).join(', ')}.`,
    );
  return one;
}

/** A file in the working directory with such a name can be given as `./syslog`. */
function isNoFile(subject: string): boolean {
  return subject === 'syslog' || isIP(subject) !== 0 || /^[a-z+]+:\/\//.test(subject);
}

/** Several collectors may know the file: a permanent one, and those of one-shot runs. */
function headingOf({ path }: KnownStateDirectory, index: number, width: number | undefined): string {
  return `${index === 0 ? '' : '\n'}${formatParagraph(`collector  ${printable(path)}`, width, 2)}\n`;
}
