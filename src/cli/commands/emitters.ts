import { Command } from 'commander';
import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import type { AmountReport, EmitterReport } from '../../runtime/control/control-commands.ts';
import { amountAnswer, emittersAnswer } from '../answers.ts';
import { askAggregator } from '../ask-owner.ts';
import type { Context } from '../context.ts';
import { widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { count, printable, textTable } from '../output/text-table.ts';

const EXAMPLES = `
The state of an emitter (its place in the queue, its dead letters) belongs to its name and is kept when it leaves the
configuration: the aggregator does not start until it is put back or forgotten.

An emitter that comes to a damaged entry of the queue stands still: restore the file that the log names, or skip the entry.

Examples:
  mega-collector emitters list
  mega-collector emitters forget archive
  mega-collector emitters skip archive`;

interface Options {
  readonly stateDirectory?: string;
  readonly json?: boolean;
}

export function emittersCommand(context: Context): Command {
  const command = new Command('emitters')
    .description('List the emitters that the state knows; forget one, or let it skip what is damaged.')
    .addHelpText('after', EXAMPLES);
  command.addCommand(listCommand(context));
  command.addCommand(forgetCommand(context));
  command.addCommand(skipCommand(context));
  return command;
}

function listCommand({ io }: Context): Command {
  return withDirectory(new Command('list'))
    .description('One line for each emitter.')
    .option('--json', 'Print JSON.')
    .action(async ({ stateDirectory, json }: Options) => {
      const { value, running } = await askAggregator(io, stateDirectory, 'emitters.list', {});
      const emitters = emittersAnswer(value);
      io.stdout.write(json ? `${jsonText(emitters, 2)}\n` : listText(emitters, running, widthOf(io.stdout)));
    });
}

function listText(emitters: readonly EmitterReport[], running: boolean, width: number | undefined): string {
  if (emitters.length === 0) return 'The state knows no emitters.\n';
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
      'Give up what is queued for an emitter, its dead letters and its state. It cannot be undone.',
    )
    .argument('<name>', 'As `list` shows it.')
    .option('--json', 'Print JSON.')
    .action(async (name: string, { stateDirectory, json }: Options) => {
      await askAggregator(io, stateDirectory, 'emitters.forget', { name });
      const text = json ? jsonText({ forgotten: name }) : `${printable(name)} is forgotten.`;
      io.stdout.write(`${text}\n`);
    });
}

function skipCommand({ io }: Context): Command {
  return withDirectory(new Command('skip'))
    .description(
      'Give up the damaged entry of the queue at which the emitter stands, and go on behind it. It is counted as discarded.',
    )
    .argument('<name>', 'As `list` shows it.')
    .option('--json', 'Print JSON.')
    .action(async (name: string, { stateDirectory, json }: Options) => {
      const lost = amountAnswer((await askAggregator(io, stateDirectory, 'emitters.skip', { name })).value);
      io.stdout.write(
        json
          ? `${jsonText(lost)}\n`
          : `${printable(name)} goes on; given up: ${count(lost.records)} record${lost.records === 1 ? '' : 's'} (${formatByteSize(lost.bytes)}).\n`,
      );
    });
}

function withDirectory(command: Command): Command {
  return command.option('--state-directory <path>', 'Of the aggregator; default: the configured one.');
}
