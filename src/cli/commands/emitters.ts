import { Command } from 'commander';
import { forgetEmitter, listEmitters, skipEntry } from '../../aggregator/api/operations/queue-operations.ts';
import type { AmountReport, EmitterReport } from '../../aggregator/api/operations/queue-reports.ts';
import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import { callAggregator } from '../call-owner.ts';
import type { Context } from '../context.ts';
import { widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { count, printable, textTable } from '../output/text-table.ts';

const EXAMPLES = `
The state keeps the position and the dead letters of an emitter under its name, also after the emitter is removed from
the configuration. The aggregator does not start until the emitter is configured again or forgotten.

An emitter stops at a damaged entry of the queue. Restore the file that the log names, or skip the entry.

Examples:
  mega-collector emitters list
  mega-collector emitters forget archive
  mega-collector emitters skip archive`;

interface Options {
  readonly stateDirectory?: string;
  readonly json?: boolean;
}

export function emittersCommand(context: Context): Command {
  const command = new Command('emitters').addHelpText('after', EXAMPLES);
  command.addCommand(listCommand(context));
  command.addCommand(forgetCommand(context));
  command.addCommand(skipCommand(context));
  return command;
}

function listCommand({ io }: Context): Command {
  return withDirectory(new Command('list'))
    .description('List the emitters, one per line.')
    .option('--json', 'Print JSON.')
    .action(async ({ stateDirectory, json }: Options) => {
      const { answer, running } = await callAggregator(io, stateDirectory, listEmitters, {});
      const { emitters } = answer;
      io.stdout.write(json ? `${jsonText(emitters, 2)}\n` : listText(emitters, running, widthOf(io.stdout)));
    });
}

function listText(emitters: readonly EmitterReport[], running: boolean, width: number | undefined): string {
  if (emitters.length === 0) return 'The state has no emitters.\n';
  const right = { right: true } as const;
  const columns = [
    { title: 'emitter', wraps: true as const },
    ...(running ? [{ title: 'configured' }] : []),
    { title: 'queued', ...right },
    { title: 'dead-lettered', ...right },
  ];
  const rows = emitters.map(({ name, configured, queued, deadLettered }) => [
    printable(name),
    ...(running ? [configured ? 'yes' : 'no'] : []),
    amountText(queued),
    amountText(deadLettered),
  ]);
  return textTable(columns, rows, width);
}

function amountText({ records, bytes }: AmountReport): string {
  return `${count(records)} (${formatByteSize(bytes)})`;
}

function forgetCommand({ io }: Context): Command {
  return withDirectory(new Command('forget'))
    .description(
      'Discard the queued records, the dead letters and the state of an emitter. This cannot be undone.',
    )
    .argument('<name>', 'Name of the emitter, as in `list`.')
    .option('--json', 'Print JSON.')
    .action(async (name: string, { stateDirectory, json }: Options) => {
      await callAggregator(io, stateDirectory, forgetEmitter, { parameters: { name } });
      const text = json ? jsonText({ forgotten: name }) : `${printable(name)} is forgotten.`;
      io.stdout.write(`${text}\n`);
    });
}

function skipCommand({ io }: Context): Command {
  return withDirectory(new Command('skip'))
    .description(
      'Discard the damaged entry of the queue at which the emitter has stopped, and continue after it. The records count as discarded.',
    )
    .argument('<name>', 'Name of the emitter, as in `list`.')
    .option('--json', 'Print JSON.')
    .action(async (name: string, { stateDirectory, json }: Options) => {
      const input = { parameters: { name } };
      const { answer: lost } = await callAggregator(io, stateDirectory, skipEntry, input);
      io.stdout.write(
        json
          ? `${jsonText(lost)}\n`
          : `${printable(name)} continues; discarded ${count(lost.records)} record${lost.records === 1 ? '' : 's'} (${formatByteSize(lost.bytes)}).\n`,
      );
    });
}

function withDirectory(command: Command): Command {
  return command.option(
    '--state-directory <path>',
    'State directory of the aggregator; default: the configured one.',
  );
}
