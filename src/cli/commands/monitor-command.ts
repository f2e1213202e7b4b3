import { Command } from 'commander';
import type { Context } from '../context.ts';
import { alertsCommand } from '../monitor/alerts/alerts-command.ts';
import { groupsCommand } from '../monitor/groups/groups-command.ts';
import { contextCommand } from '../monitor/logs/context-command.ts';
import { exportCommand } from '../monitor/logs/export-command.ts';
import { logsCommand } from '../monitor/logs/logs-command.ts';
import { metricsCommand } from '../monitor/metrics/metrics-command.ts';

const EXAMPLES = `
These commands query an aggregator with a store over HTTP, at the address in AGGREGATOR_HTTP_ADDRESS or at --url. An
aggregator that other machines can reach requires a token (AGGREGATOR_HTTP_TOKEN).

Examples:
  mega-collector monitor logs --follow
  mega-collector monitor metrics create --default
  mega-collector monitor metrics get total_traffic
  mega-collector monitor alerts observe
  mega-collector monitor export --from 1h --format csv > logs.csv
  mega-collector monitor logs 'out of stock' --from 1h --url https://logs.example.com --token-file ~/.logs-token`;

export function monitorCommand(context: Context): Command {
  const command = new Command('monitor').addHelpText('after', EXAMPLES);
  command.addCommand(logsCommand(context));
  command.addCommand(metricsCommand(context));
  command.addCommand(alertsCommand(context));
  command.addCommand(groupsCommand(context));
  command.addCommand(contextCommand(context));
  command.addCommand(exportCommand(context));
  return command;
}
