import { Command } from 'commander';
import { type LogGroupReport, logGroupDefinition } from '../../../monitoring/log-group-definition.ts';
import type { Context } from '../../context.ts';
import { definitionText } from '../definition-text.ts';
import { changesText } from '../edit-text.ts';
import { FlagValues } from '../flag-values.ts';
import { asDefault, type MonitorFlags, monitorCommand, openApi } from '../monitor-command.ts';
import { parseIdentifier } from '../parse-identifier.ts';
import { formatTable } from '../terminal/format-table.ts';
import { jsonLine, sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import { terminalOf } from '../terminal/terminal.ts';

const EXAMPLES = `
A log group is a saved expression. Searches and metrics name it: group("checkout").

Examples:
  mega-collector monitor groups create checkout 'service.name == "checkout" or url.path starts_with "/pay"'
  mega-collector monitor logs --where 'group("checkout") and severity >= error'
  mega-collector monitor metrics create checkout_errors --filter-where 'group("checkout") and severity >= error'
  mega-collector monitor groups edit checkout 'service.name in (checkout, payment)'`;

interface GroupFlags extends MonitorFlags {
  readonly description?: string;
}

export function groupsCommand(context: Context): Command {
  const command = new Command('groups')
    .description('Saved expressions: list, get, create, edit and delete log groups.')
    .addHelpText('after', EXAMPLES);
  command.addCommand(listCommand(context), { isDefault: true });
  command.addCommand(getCommand(context));
  command.addCommand(createCommand(context));
  command.addCommand(editCommand(context));
  command.addCommand(deleteCommand(context));
  return command;
}

function listCommand({ io }: Context): Command {
  return asDefault(monitorCommand('list', 'Print one JSON object per log group, one per line.'))
    .description('List all log groups, one per line. This is the default command.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor groups list --json | jq .usedBy')
    .action(async (flags: MonitorFlags) => {
      const groups = await (await openApi(flags, io)).logGroups();
      const columns = [{ title: 'group' }, { title: 'expression' }, { title: 'used by' }];
      const rows = groups.map(({ id, expression, usedBy }) =>
        [id, expression, usedBy.join(', ')].map(sanitizeForTerminal),
      );
      io.stdout.write(
        flags.json ? groups.map(jsonLine).join('') : formatTable(columns, rows, terminalOf(io, flags)),
      );
    });
}

function getCommand({ io }: Context): Command {
  return monitorCommand('get', 'Print JSON.')
    .description('Show a log group, and the metrics that use it.')
    .argument('<id>', 'Name of the log group.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor groups get checkout')
    .action(async (text: string, flags: MonitorFlags) => {
      const group = await (await openApi(flags, io)).logGroup(parseIdentifier(text));
      const { usedBy, ...shown } = group;
      const more = [['used by', usedBy.map(sanitizeForTerminal).join(', ')]] as const;
      io.stdout.write(flags.json ? jsonLine(group) : definitionText(shown, more, terminalOf(io, flags)));
    });
}

function withDefinition(command: Command): Command {
  return command
    .argument('<id>', 'Name of the log group: a-z, 0-9 and _.')
    .argument('<expression>', 'Expression of the log group.')
    .option('--description <text>', 'Text for other people.');
}

function createCommand({ io }: Context): Command {
  return withDefinition(monitorCommand('create', 'Print the created log group as JSON.'))
    .description('Create a log group.')
    .addHelpText('after', "\nExamples:\n  mega-collector monitor groups create slow 'duration > 500'")
    .action(async (id: string, expression: string, flags: GroupFlags) => {
      const group = await (await openApi(flags, io)).createLogGroup(definitionOf(id, expression, flags));
      io.stdout.write(flags.json ? jsonLine(group) : `Created ${sanitizeForTerminal(group.id)}.\n`);
    });
}

function editCommand({ io }: Context): Command {
  return withDefinition(monitorCommand('edit', 'Print the changed log group as JSON.'))
    .description('Replace the expression of a log group. The metrics that use it are computed again.')
    .addHelpText('after', "\nExamples:\n  mega-collector monitor groups edit slow 'duration > 1000'")
    .action(async (id: string, expression: string, flags: GroupFlags) => {
      const api = await openApi(flags, io);
      const before = flags.description === undefined ? await api.logGroup(parseIdentifier(id)) : undefined;
      const definition = definitionOf(id, expression, { ...flags, ...descriptionOf(before) });
      const group = await api.updateLogGroup(id, definition);
      io.stdout.write(flags.json ? jsonLine(group) : changesText(group.id, group.changes));
    });
}

function deleteCommand({ io }: Context): Command {
  return monitorCommand('delete', 'Print JSON.')
    .description('Delete a log group. Rejected while a metric uses it.')
    .argument('<id>', 'Name of the log group.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor groups delete slow')
    .action(async (text: string, flags: MonitorFlags) => {
      const id = parseIdentifier(text);
      await (await openApi(flags, io)).deleteLogGroup(id);
      io.stdout.write(flags.json ? jsonLine({ deleted: id }) : `Deleted ${id}.\n`);
    });
}

function descriptionOf(before: LogGroupReport | undefined): Pick<GroupFlags, 'description'> {
  return before === undefined ? {} : { description: before.description };
}

function definitionOf(id: string, expression: string, { description }: GroupFlags) {
  const names = { id: 'ID', expression: 'EXPRESSION', description: '--description' };
  return new FlagValues().checked(logGroupDefinition, { id, expression, description }, names);
}
