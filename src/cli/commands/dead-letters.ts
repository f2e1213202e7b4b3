import { Command } from 'commander';
import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import type { DeadLetterContent, DeadLetterReport } from '../../runtime/control/control-commands.ts';
import { countAnswer, deadLetterContentAnswer, deadLettersAnswer } from '../answers.ts';
import { askAggregator } from '../ask-owner.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../output/exit-codes.ts';
import { widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { count, printable, textTable } from '../output/text-table.ts';

const EXAMPLES = `
A dead letter is a piece of a batch that its emitter will never take as it is. It is kept until it is replayed and taken,
or discarded.

Examples:
  mega-collector dead-letters list
  mega-collector dead-letters show file/0123456789abcdef0123456789abcdef/4096
  mega-collector dead-letters show --raw file/0123456789abcdef0123456789abcdef/4096 > records.log
  mega-collector dead-letters replay --emitter file
  mega-collector dead-letters discard --all`;

interface Options {
  readonly stateDirectory?: string;
  readonly emitter?: string;
  readonly all?: boolean;
  readonly json?: boolean;
  readonly raw?: boolean;
}

export function deadLettersCommand(context: Context): Command {
  const command = new Command('dead-letters')
    .description('List, show, replay or discard what an emitter has rejected.')
    .addHelpText('after', EXAMPLES);
  command.addCommand(listCommand(context));
  command.addCommand(showCommand(context));
  command.addCommand(selectionCommand(context, 'replay', 'Give dead letters to their emitter again.'));
  command.addCommand(
    selectionCommand(context, 'discard', 'Give dead letters up for good; they are counted.'),
  );
  return command;
}

function listCommand({ io }: Context): Command {
  return withDirectory(new Command('list'))
    .description('One line for each dead letter.')
    .option('--emitter <name>', 'Only those of this emitter.')
    .option('--json', 'Print one JSON object per dead letter, one per line.')
    .action(async ({ stateDirectory, emitter, json }: Options) => {
      const filter = { emitter: emitter ?? null };
      const letters = deadLettersAnswer(
        (await askAggregator(io, stateDirectory, 'dead-letters.list', filter)).value,
      );
      const text = json
        ? letters.map((letter) => `${jsonText(letter)}\n`).join('')
        : listText(letters, widthOf(io.stdout));
      io.stdout.write(text);
    });
}

function listText(letters: readonly DeadLetterReport[], width: number | undefined): string {
  if (letters.length === 0) return 'There are no dead letters.\n';
  const columns = [
    { title: 'id' },
    { title: 'records', right: true as const },
    { title: 'size', right: true as const },
    { title: 'rejected' },
    { title: 'reason', wraps: true as const },
  ];
  const rows = letters.map((letter) => [
    printable(letter.id),
    count(letter.records),
    formatByteSize(letter.bytes),
    rejectedTime(letter),
    printable(letter.replaying ? `(replaying) ${letter.reason}` : letter.reason),
  ]);
  return textTable(columns, rows, width);
}

function rejectedTime({ rejectedTimeUnixNano }: DeadLetterReport): string {
  return new Date(Number(BigInt(rejectedTimeUnixNano) / 1_000_000n)).toISOString();
}

function showCommand({ io }: Context): Command {
  return withDirectory(new Command('show'))
    .description('A dead letter with its records.')
    .argument('<id>', 'As `list` shows it.')
    .option('--raw', "Only the records' bytes, as they came.")
    .option('--json', 'Print JSON; the records are in base64.')
    .action(async (id: string, { stateDirectory, json, raw }: Options) => {
      const content = deadLetterContentAnswer(
        (await askAggregator(io, stateDirectory, 'dead-letters.show', { id })).value,
      );
      if (json) io.stdout.write(`${jsonText(content, 2)}\n`);
      else if (raw) io.stdout.write(Buffer.from(content.data, 'base64'));
      else io.stdout.write(contentText(content, widthOf(io.stdout)));
    });
}

function contentText(
  { letter, format, resource, data }: DeadLetterContent,
  width: number | undefined,
): string {
  const fields = [
    ['id', letter.id],
    ['records', count(letter.records)],
    ['size', formatByteSize(letter.bytes)],
    ['rejected', rejectedTime(letter)],
    ['reason', letter.reason],
    ['replaying', letter.replaying ? 'yes' : 'no'],
    ['format', format],
    ...Object.entries(resource),
  ].map((row) => row.map(printable));
  const lines = Buffer.from(data, 'base64').toString().replace(/\n$/, '').split('\n');
  const table = textTable([{ title: '' }, { title: '', wraps: true }], fields, width);
  // Records are as they are: a terminal continues a long one by itself, and it can be copied.
  return `${table}\n${lines.map((line) => `${printable(line)}\n`).join('')}`;
}

function selectionCommand({ io }: Context, name: 'replay' | 'discard', description: string): Command {
  return withDirectory(new Command(name))
    .description(description)
    .argument('[ids...]', 'As `list` shows them.')
    .option('--emitter <name>', 'All of this emitter.')
    .option('--all', 'All there are.')
    .option('--json', 'Print JSON.')
    .action(async (ids: readonly string[], { stateDirectory, emitter, all = false, json }: Options) => {
      const ways = [ids.length > 0, emitter !== undefined, all].filter(Boolean).length;
      if (ways !== 1)
        throw new CommandError('Name the dead letters, or --emitter NAME, or --all.', EXIT.usage);
      const selection = { ids: ids.length > 0 ? ids : null, emitter: emitter ?? null };
      const { value } = await askAggregator(io, stateDirectory, `dead-letters.${name}`, selection);
      const report = countAnswer(value);
      const letters = `${count(report.count)} dead letter${report.count === 1 ? '' : 's'}`;
      const done = name === 'replay' ? 'will be replayed' : 'discarded';
      io.stdout.write(json ? `${jsonText(report)}\n` : `${letters} ${done}.\n`);
      if (report.count < ids.length) {
        throw new CommandError(`${ids.length - report.count} of the ${ids.length} named do not exist.`);
      }
    });
}

function withDirectory(command: Command): Command {
  return command.option('--state-directory <path>', 'Of the aggregator; default: the configured one.');
}
