import { Command } from 'commander';
import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import type {
  AggregatorStatus,
  AmountReport,
  CollectorStatus,
  EmitterBalanceReport,
  StreamBalanceReport,
} from '../../runtime/control/control-commands.ts';
import { statusAnswer } from '../answers.ts';
import { askOwner } from '../ask-owner.ts';
import type { Context } from '../context.ts';
import { widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { count, printable, textTable } from '../output/text-table.ts';
import { paragraph } from '../output/wrapped-text.ts';
import { findStateDirectories, type KnownStateDirectory } from '../state-directories.ts';

const EXAMPLES = `
The balance adds up. Of a collector: what is read is accepted or waiting; what lies behind that in the files is unread.
Of an aggregator: what is accepted is, for each emitter, delivered, queued, dead-lettered or discarded.

Examples:
  mega-collector status
  mega-collector status --verbose --state-directory /var/lib/mega-collector/collector
  mega-collector status --json | jq .emitters`;

interface StatusOptions {
  readonly stateDirectory?: string;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

export function statusCommand({ io }: Context): Command {
  return new Command('status')
    .description('Show what was read, accepted and delivered, and what waits.')
    .option('--state-directory <path>', 'Of a collector or an aggregator; default: the configured ones.')
    .option('--verbose', "Every stream of a collector, with its file's path.")
    .option('--json', 'Print one JSON object per state directory, one per line.')
    .addHelpText('after', EXAMPLES)
    .action(async ({ stateDirectory, verbose = false, json = false }: StatusOptions) => {
      const width = widthOf(io.stdout);
      for (const directory of await findStateDirectories(io, stateDirectory)) {
        const { value, running } = await askOwner(io, directory, 'status', { verbose });
        const status = statusAnswer(value);
        const { path } = directory;
        io.stdout.write(
          json
            ? `${jsonText({ ...status, stateDirectory: path, running })}\n`
            : `${heading(directory, running, width)}${statusText(status, width)}\n`,
        );
      }
    });
}

function heading({ role, path }: KnownStateDirectory, running: boolean, width: number | undefined): string {
  const text = `${role}  ${printable(path)}  ${running ? 'running' : 'not running'}`;
  return `${paragraph(text, width, 2)}\n`;
}

function statusText(status: AggregatorStatus | CollectorStatus, width: number | undefined): string {
  return status.role === 'aggregator' ? aggregatorText(status, width) : collectorText(status, width);
}

const RIGHT = { right: true } as const;

function aggregatorText(
  { accepted, emitters, diskBytes }: AggregatorStatus,
  width: number | undefined,
): string {
  const total = `accepted ${amountText(accepted)}; the queue takes ${formatByteSize(diskBytes)} on disk`;
  const begun = emitters.some(({ before }) => before.bytes > 0 || before.records > 0);
  const parts: readonly (readonly [string, keyof Omit<EmitterBalanceReport, 'emitter'>])[] = [
    ...(begun ? [['before', 'before'] as const] : []),
    ['delivered', 'delivered'],
    ['queued', 'queued'],
    ['dead-lettered', 'deadLettered'],
    ['discarded', 'discarded'],
  ];
  const columns = [{ title: 'emitter' }, ...parts.map(([title]) => ({ title, ...RIGHT }))];
  const rows = emitters.map((balance) => [
    printable(balance.emitter),
    ...parts.map(([, part]) => amountText(balance[part])),
  ]);
  return `${paragraph(total, width)}\n${textTable(columns, rows, width)}`;
}

function amountText({ records, bytes }: AmountReport): string {
  return `${count(records)} (${formatByteSize(bytes)})`;
}

function collectorText({ streams, lost = 0, ...all }: CollectorStatus, width: number | undefined): string {
  const rows = [
    ...(streams ?? []).map((each) => [printable(each.source), printable(each.stream), ...bytes(each)]),
    ['all streams', '', ...bytes(all)],
  ];
  const columns = [
    { title: streams === undefined ? '' : 'source', wraps: true as const },
    { title: streams === undefined ? '' : 'stream' },
    ...['read', 'accepted', 'waiting', 'unread'].map((title) => ({ title: `${title} (bytes)`, ...RIGHT })),
  ];
  const losses =
    lost === 0
      ? ''
      : `\nlost  ${count(lost)} bytes were gone before they could be read; the log has their files\n`;
  return `${textTable(columns, rows, width)}${losses}`;
}

function bytes({ read, accepted, waiting, unread }: StreamBalanceReport): string[] {
  return [read, accepted, waiting, unread].map(count);
}
