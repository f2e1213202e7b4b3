import { Command } from 'commander';
import { z } from 'zod';
import { systemClock } from '../../../runtime/clock.ts';
import type { Context } from '../../context.ts';
import { AggregatorApi } from '../api/aggregator-api.ts';
import { readConnection } from '../api/connection.ts';
import { definitionText } from '../definition-text.ts';
import { FlagValues } from '../flag-values.ts';
import { identifierOf, oneIdentifier } from '../identifiers.ts';
import { apiOf, asDefault, type MonitorFlags, monitorCommand, untilInterrupted } from '../monitor-command.ts';
import { withOldFlags } from '../old-flags.ts';
import { harmless, jsonLine } from '../terminal/harmless.ts';
import { terminalOf } from '../terminal/terminal.ts';
import { timeText } from '../terminal/time-text.ts';
import { type AlertFlags, alertOfFlags, withAlertFlags } from './alert-flags.ts';
import {
  alertListText,
  conditionOf,
  historyText,
  problemRows,
  problemsText,
  statesText,
} from './alert-text.ts';
import { observe } from './observe.ts';

const EXAMPLES = `
An alert holds the newest values of a metric against a level. It is ok, firing, or without data; of a metric with
segments, each by itself. It is pending while it holds, but not yet for as long as it has to.

Examples:
  mega-collector monitor alerts
  mega-collector monitor alerts observe
  mega-collector monitor alerts get totaltraffic
  mega-collector monitor alerts create busy --metric total_traffic --comparison '>' --level 10 --window 120s`;

const CREATE_EXAMPLES = `
Examples:
  mega-collector monitor alerts create busy --metric total_traffic --level 10
  mega-collector monitor alerts create quiet -m total_traffic -s max -o '<' -l 1 --window 5m --for 1m
  mega-collector monitor alerts create errors -m server_errors -s max -o '>=' -l 5 --check 10s --no-data ok --no-notify`;

const OBSERVE_EXAMPLES = `
On a terminal, a table that is redrawn in place until Ctrl-C. Elsewhere one line for each alert, and one for each change
from then on; the time comes first. While the aggregator is away it says so, and goes on.

Examples:
  mega-collector monitor alerts observe
  mega-collector monitor alerts observe --refresh 1 >> alerts.log
  mega-collector monitor alerts observe --json | jq --unbuffered 'select(.state == "firing")'`;

export function alertsCommand(context: Context): Command {
  const command = new Command('alerts')
    .description('Levels that metrics should not pass: list, get, create, delete and observe them.')
    .addHelpText('after', EXAMPLES);
  command.addCommand(listCommand(context), { isDefault: true });
  command.addCommand(getCommand(context));
  command.addCommand(metaCommand(context));
  command.addCommand(createCommand(context));
  command.addCommand(deleteCommand(context));
  command.addCommand(observeCommand(context));
  return command;
}

function listCommand({ io }: Context): Command {
  return asDefault(monitorCommand('list', 'Print one JSON object per alert, one per line.'))
    .description('One line for each alert; also without `list`.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts list --json | jq .states')
    .action(async (flags: MonitorFlags) => {
      const alerts = await (await apiOf(flags, io)).alerts();
      io.stdout.write(
        flags.json ? alerts.map(jsonLine).join('') : alertListText(alerts, terminalOf(io, flags)),
      );
    });
}

const historyLimit = z.int().min(1).max(1000);

function getCommand({ io }: Context): Command {
  const command = monitorCommand('get', 'Print JSON: the alert, and its `events`.')
    .description('The states of an alert, and its changes, newest first.')
    .argument('<id>', 'Of the alert.')
    .option('-n, --limit <changes>', 'How many changes. [default 20]', '20')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts get totaltraffic -n 100')
    .action(async (text: string, flags: MonitorFlags & { readonly limit: string }) => {
      const id = identifierOf(text);
      const values = new FlagValues();
      const limit = values.checked(historyLimit, values.number('-n', flags.limit), { '': '-n' });
      const api = await apiOf(flags, io);
      const [alert, events] = [await api.alert(id), await api.alertHistory(id, limit)];
      const terminal = terminalOf(io, flags);
      if (flags.json) io.stdout.write(jsonLine({ ...alert, events }));
      if (flags.json) return;
      const changes = events.length === 0 ? 'It has not changed yet.\n' : historyText(events, terminal);
      io.stdout.write(
        `${id}: ${conditionOf(alert)}\n\n${statesText(alert, terminal)}${problemsText([alert], terminal)}\n${changes}`,
      );
    });
  return withOldFlags(command, { '--number': 'limit' });
}

function metaCommand({ io }: Context): Command {
  return monitorCommand('meta', 'Print JSON.')
    .description('How an alert is defined.')
    .argument('<id>', 'Of the alert.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts meta totaltraffic')
    .action(async (text: string, flags: MonitorFlags) => {
      const id = identifierOf(text);
      const alert = await (await apiOf(flags, io)).alert(id);
      const terminal = terminalOf(io, flags);
      const more = [['created', timeText(alert.createdAt, terminal)], ...problemRows(alert)] as const;
      io.stdout.write(flags.json ? jsonLine(alert) : definitionText(alert.definition, more, terminal));
    });
}

function createCommand({ io }: Context): Command {
  return withAlertFlags(
    monitorCommand('create', 'Print what was created as JSON.')
      .description('Create an alert on a metric.')
      .argument('[id]', 'Its name: a-z, 0-9 and _.')
      .option('-i, --identifier <id>', 'The same as ID.'),
  )
    .addHelpText('after', CREATE_EXAMPLES)
    .action(
      async (
        text: string | undefined,
        flags: MonitorFlags & AlertFlags & { readonly identifier?: string },
      ) => {
        const definition = alertOfFlags(oneIdentifier(text, flags.identifier), flags);
        const alert = await (await apiOf(flags, io)).createAlert(definition);
        const created = `Created ${harmless(alert.definition.id)}: ${conditionOf(alert)}.\n`;
        io.stdout.write(flags.json ? jsonLine(alert) : created);
      },
    );
}

function deleteCommand({ io }: Context): Command {
  return monitorCommand('delete', 'Print JSON.')
    .description('Delete an alert with its history. Its metric stays.')
    .argument('<id>', 'Of the alert.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts delete busy')
    .action(async (text: string, flags: MonitorFlags) => {
      const id = identifierOf(text);
      await (await apiOf(flags, io)).deleteAlert(id);
      io.stdout.write(flags.json ? jsonLine({ deleted: id }) : `Deleted ${id}.\n`);
    });
}

const refreshRate = z.int().min(1).max(86_400);

function observeCommand({ io }: Context): Command {
  const command = monitorCommand('observe', 'Print one JSON object per alert, and per change, one per line.')
    .description('Watch all alerts until Ctrl-C.')
    .option('-r, --refresh <time>', 'How often: seconds, or 10s, 1m. [default 10]', '10')
    .addHelpText('after', OBSERVE_EXAMPLES)
    .action(async ({ refresh: text, json = false, ...flags }: MonitorFlags & { refresh: string }) => {
      const values = new FlagValues();
      const asked = values.seconds('--refresh', text);
      const refreshSeconds = values.checked(refreshRate, asked, { '': '--refresh' });
      const connection = await readConnection(flags, io);
      await untilInterrupted({ io }, (signal) => {
        const api = new AggregatorApi(connection, signal);
        const terminal = terminalOf(io, flags);
        return observe({ api, clock: systemClock, io, terminal, refreshSeconds, json }, signal);
      });
    });
  return withOldFlags(command, { '--refresh-rate': 'refresh' });
}
