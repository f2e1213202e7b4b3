import { Command } from 'commander';
import { z } from 'zod';
import { silenceRequest } from '../../../monitoring/alert-silence.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { Context } from '../../context.ts';
import { AggregatorApi } from '../api/aggregator-api.ts';
import { readConnection } from '../api/connection.ts';
import { definitionText } from '../definition-text.ts';
import { changesText } from '../edit-text.ts';
import { FlagValues } from '../flag-values.ts';
import {
  asDefault,
  type MonitorFlags,
  monitorCommand,
  openApi,
  runUntilInterrupted,
} from '../monitor-command.ts';
import { chooseIdentifier, parseIdentifier } from '../parse-identifier.ts';
import { jsonLine, sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import { terminalOf } from '../terminal/terminal.ts';
import { timeText } from '../terminal/time-text.ts';
import { withOldFlags } from '../with-old-flags.ts';
import { type AlertFlags, alertOfFlags, withAlertFlags } from './alert-flags.ts';
import {
  alertListText,
  conditionOf,
  historyText,
  problemRows,
  problemsText,
  silencesText,
  statesText,
} from './alert-text.ts';
import { observeAlerts } from './observe-alerts.ts';

const EXAMPLES = `
An alert compares a statistic of a metric's recent values with a threshold. Its state is ok, firing or no-data; for a
metric with segments, each segment has a state. It is pending while the comparison is true, but not yet for long
enough.

Examples:
  mega-collector monitor alerts
  mega-collector monitor alerts observeAlerts
  mega-collector monitor alerts get totaltraffic
  mega-collector monitor alerts create busy --metric total_traffic --comparison '>' --level 10 --window 120s`;

const CREATE_EXAMPLES = `
Examples:
  mega-collector monitor alerts create busy --metric total_traffic --level 10
  mega-collector monitor alerts create quiet -m total_traffic -s max -o '<' -l 1 --window 5m --for 1m
  mega-collector monitor alerts create errors -m server_errors -s max -o '>=' -l 5 --check 10s --no-data ok --no-notify`;

const OBSERVE_EXAMPLES = `
On a terminal, shows a table that is redrawn in place until Ctrl-C. Otherwise prints one line for each alert, then one
for each change, with the time first. If the aggregator is not reachable, reports it and retries.

Examples:
  mega-collector monitor alerts observeAlerts
  mega-collector monitor alerts observeAlerts --refresh 1 >> alerts.log
  mega-collector monitor alerts observeAlerts --json | jq --unbuffered 'select(.state == "firing")'`;

export function alertsCommand(context: Context): Command {
  const command = new Command('alerts')
    .description('Thresholds for metrics: list, get, create, edit, silence, delete and observe alerts.')
    .addHelpText('after', EXAMPLES);
  command.addCommand(listCommand(context), { isDefault: true });
  command.addCommand(getCommand(context));
  command.addCommand(metaCommand(context));
  command.addCommand(createCommand(context));
  command.addCommand(editCommand(context));
  command.addCommand(silenceCommand(context));
  command.addCommand(unsilenceCommand(context));
  command.addCommand(deleteCommand(context));
  command.addCommand(observeCommand(context));
  return command;
}

function listCommand({ io }: Context): Command {
  return asDefault(monitorCommand('list', 'Print one JSON object per alert, one per line.'))
    .description('List all alerts, one per line. This is the default command.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts list --json | jq .states')
    .action(async (flags: MonitorFlags) => {
      const alerts = await (await openApi(flags, io)).alerts();
      io.stdout.write(
        flags.json ? alerts.map(jsonLine).join('') : alertListText(alerts, terminalOf(io, flags)),
      );
    });
}

const historyLimit = z.int().min(1).max(1000);

function getCommand({ io }: Context): Command {
  const command = monitorCommand('get', 'Print JSON: the alert, and its `events`.')
    .description('Show the states of an alert and its state changes, newest first.')
    .argument('<id>', 'Name of the alert.')
    .option('-n, --limit <changes>', 'Number of state changes. [default 20]', '20')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts get totaltraffic -n 100')
    .action(async (text: string, flags: MonitorFlags & { readonly limit: string }) => {
      const id = parseIdentifier(text);
      const values = new FlagValues();
      const limit = values.checked(historyLimit, values.number('-n', flags.limit), { '': '-n' });
      const api = await openApi(flags, io);
      const [alert, events] = [await api.alert(id), await api.alertHistory(id, limit)];
      const terminal = terminalOf(io, flags);
      if (flags.json) io.stdout.write(jsonLine({ ...alert, events }));
      if (flags.json) return;
      const changes = events.length === 0 ? 'No state changes yet.\n' : historyText(events, terminal);
      io.stdout.write(
        `${id}: ${conditionOf(alert)}\n\n${statesText(alert, terminal)}${silencesText([alert], terminal)}${problemsText([alert], terminal)}\n${changes}`,
      );
    });
  return withOldFlags(command, { '--number': 'limit' });
}

function metaCommand({ io }: Context): Command {
  return monitorCommand('meta', 'Print JSON.')
    .description('Show the definition of an alert.')
    .argument('<id>', 'Name of the alert.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts meta totaltraffic')
    .action(async (text: string, flags: MonitorFlags) => {
      const id = parseIdentifier(text);
      const alert = await (await openApi(flags, io)).alert(id);
      const terminal = terminalOf(io, flags);
      const more = [['created', timeText(alert.createdAt, terminal)], ...problemRows(alert)] as const;
      io.stdout.write(flags.json ? jsonLine(alert) : definitionText(alert.definition, more, terminal));
    });
}

function createCommand({ io }: Context): Command {
  return withAlertFlags(
    monitorCommand('create', 'Print the created alert as JSON.')
      .description('Create an alert on a metric.')
      .argument('[id]', 'Name of the alert: a-z, 0-9 and _.')
      .option('-i, --identifier <id>', 'The same as ID.'),
  )
    .addHelpText('after', CREATE_EXAMPLES)
    .action(
      async (
        text: string | undefined,
        flags: MonitorFlags & AlertFlags & { readonly identifier?: string },
      ) => {
        const definition = alertOfFlags(chooseIdentifier(text, flags.identifier), flags);
        const alert = await (await openApi(flags, io)).createAlert(definition);
        const created = `Created ${sanitizeForTerminal(alert.definition.id)}: ${conditionOf(alert)}.\n`;
        io.stdout.write(flags.json ? jsonLine(alert) : created);
      },
    );
}

function editCommand({ io }: Context): Command {
  return withAlertFlags(
    monitorCommand('edit', 'Print the changed alert as JSON.')
      .description('Change the definition of an alert. Values that are not given stay as they are.')
      .argument('<id>', 'Name of the alert.'),
  )
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts edit busy --level 20 --window 5m')
    .action(async (text: string, flags: MonitorFlags & AlertFlags) => {
      const id = parseIdentifier(text);
      const api = await openApi(flags, io);
      const alert = await api.updateAlert(id, alertOfFlags(id, flags, (await api.alert(id)).definition));
      io.stdout.write(flags.json ? jsonLine(alert) : changesText(id, alert.changes));
    });
}

interface SilenceFlags extends MonitorFlags {
  readonly until: string;
  readonly reason?: string;
  readonly by?: string;
}

const SILENCE_EXAMPLES = `
Until the silence ends, the states of the alert change, and it pages nothing. A page that is open stays open, and is
resolved when the alert stops firing.

Examples:
  mega-collector monitor alerts silence busy --until 2h --reason 'load test'
  mega-collector monitor alerts silence busy --until 2026-01-31T10:00:00Z`;

function silenceCommand({ io }: Context): Command {
  return monitorCommand('silence', 'Print the silence as JSON.')
    .description('Silence an alert for some time.')
    .argument('<id>', 'Name of the alert.')
    .requiredOption('--until <time>', 'End of the silence: 2h (from now), or 2026-01-31T10:00:00Z.')
    .option('--reason <text>', 'Text for other people.')
    .option('--by <name>', 'Your name, for other people.')
    .addHelpText('after', SILENCE_EXAMPLES)
    .action(async (text: string, { until, reason, by, ...flags }: SilenceFlags) => {
      const id = parseIdentifier(text);
      const names = { until: '--until', reason: '--reason', by: '--by' };
      const asked = new FlagValues().checked(silenceRequest, { until, reason, by }, names);
      const silence = await (await openApi(flags, io)).silenceAlert(id, asked);
      const shown = `Silenced ${id} until ${timeText(silence.until, terminalOf(io, flags))}.\n`;
      io.stdout.write(flags.json ? jsonLine(silence) : shown);
    });
}

function unsilenceCommand({ io }: Context): Command {
  return monitorCommand('unsilence', 'Print JSON.')
    .description('End the silence of an alert.')
    .argument('<id>', 'Name of the alert.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts unsilence busy')
    .action(async (text: string, flags: MonitorFlags) => {
      const id = parseIdentifier(text);
      await (await openApi(flags, io)).unsilenceAlert(id);
      io.stdout.write(flags.json ? jsonLine({ unsilenced: id }) : `Ended the silence of ${id}.\n`);
    });
}

function deleteCommand({ io }: Context): Command {
  return monitorCommand('delete', 'Print JSON.')
    .description('Delete an alert and its history. The metric is kept.')
    .argument('<id>', 'Name of the alert.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor alerts delete busy')
    .action(async (text: string, flags: MonitorFlags) => {
      const id = parseIdentifier(text);
      await (await openApi(flags, io)).deleteAlert(id);
      io.stdout.write(flags.json ? jsonLine({ deleted: id }) : `Deleted ${id}.\n`);
    });
}

const refreshRate = z.int().min(1).max(86_400);

function observeCommand({ io }: Context): Command {
  const command = monitorCommand('observe', 'Print one JSON object per alert, and per change, one per line.')
    .description('Watch all alerts until Ctrl-C.')
    .option('-r, --refresh <time>', 'Refresh interval: seconds, or 10s, 1m. [default 10]', '10')
    .addHelpText('after', OBSERVE_EXAMPLES)
    .action(async ({ refresh: text, json = false, ...flags }: MonitorFlags & { refresh: string }) => {
      const values = new FlagValues();
      const asked = values.seconds('--refresh', text);
      const refreshSeconds = values.checked(refreshRate, asked, { '': '--refresh' });
      const connection = await readConnection(flags, io);
      await runUntilInterrupted({ io }, (signal) => {
        const api = new AggregatorApi(connection, signal);
        const terminal = terminalOf(io, flags);
        return observeAlerts({ api, clock: systemClock, io, terminal, refreshSeconds, json }, signal);
      });
    });
  return withOldFlags(command, { '--refresh-rate': 'refresh' });
}
