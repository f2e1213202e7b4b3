import { Command } from 'commander';
import {
  discardDeadLetters,
  getDeadLetter,
  listDeadLetters,
  replayDeadLetters,
} from '../../aggregator/api/operations/dead-letter-operations.ts';
import type { DeadLetterContent, DeadLetterReport } from '../../aggregator/api/operations/queue-reports.ts';
import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import { callAggregator } from '../call-owner.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../output/exit-codes.ts';
import { widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { count, printable, textTable } from '../output/text-table.ts';

const EXAMPLES = `
A dead letter is a piece of a batch that its emitter has rejected. It is kept until a replay delivers it, or until it is
discarded.

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
  const command = new Command('dead-letters').addHelpText('after', EXAMPLES);
  command.addCommand(listCommand(context));
  command.addCommand(showCommand(context));
  command.addCommand(selectionCommand(context, 'replay', 'Send dead letters to their emitter again.'));
  command.addCommand(
    selectionCommand(
      context,
      'discard',
      'Discard dead letters. This cannot be undone; they count as discarded.',
    ),
  );
  return command;
}

function listCommand({ io }: Context): Command {
  return withDirectory(new Command('list'))
    .description('List the dead letters, one per line.')
    .option('--emitter <name>', 'Show only the dead letters of this emitter.')
    .option('--json', 'Print one JSON object per dead letter, one per line.')
    .action(async ({ stateDirectory, emitter, json }: Options) => {
      const input = { query: { emitter } };
      const { answer } = await callAggregator(io, stateDirectory, listDeadLetters, input);
      const letters = answer.deadLetters;
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
    .description('Show a dead letter with its records.')
    .argument('<id>', 'Id of the dead letter, as in `list`.')
    .option('--raw', 'Print only the bytes of the records, unchanged.')
    .option('--json', 'Print JSON; the records are in base64.')
    .action(async (id: string, { stateDirectory, json, raw }: Options) => {
      const input = { parameters: { id } };
      const { answer: content } = await callAggregator(io, stateDirectory, getDeadLetter, input);
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
  // Records are not wrapped: a terminal continues a long line by itself, and it can be copied.
  return `${table}\n${lines.map((line) => `${printable(line)}\n`).join('')}`;
}

function selectionCommand({ io }: Context, name: 'replay' | 'discard', description: string): Command {
  return withDirectory(new Command(name))
    .description(description)
    .argument('[ids...]', 'Ids of the dead letters, as in `list`.')
    .option('--emitter <name>', 'Select all dead letters of this emitter.')
    .option('--all', 'Select all dead letters.')
    .option('--json', 'Print JSON.')
    .action(async (ids: readonly string[], { stateDirectory, emitter, all = false, json }: Options) => {
      const ways = [ids.length > 0, emitter !== undefined, all].filter(Boolean).length;
      if (ways !== 1)
        throw new CommandError('Name the dead letters, or --emitter NAME, or --all.', EXIT.usage);
      const body =
        ids.length > 0 ? { ids: [...ids] } : emitter === undefined ? { all: true as const } : { emitter };
      const operation = name === 'replay' ? replayDeadLetters : discardDeadLetters;
      const { answer: report } = await callAggregator(io, stateDirectory, operation, { body });
      const letters = `${count(report.count)} dead letter${report.count === 1 ? '' : 's'}`;
      const done = name === 'replay' ? 'will be replayed' : 'discarded';
      io.stdout.write(json ? `${jsonText(report)}\n` : `${letters} ${done}.\n`);
      if (report.count < ids.length) {
        throw new CommandError(`${ids.length - report.count} of the ${ids.length} named do not exist.`);
      }
    });
}

function withDirectory(command: Command): Command {
  return command.option(
    '--state-directory <path>',
    'State directory of the aggregator; default: the configured one.',
  );
}
