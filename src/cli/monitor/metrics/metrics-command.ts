import { Command } from 'commander';
import { pointsRequest } from '../../../monitoring/metric-definition.ts';
import { CommandError } from '../../command-error.ts';
import type { Context } from '../../context.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { definitionText } from '../definition-text.ts';
import { changesText } from '../edit-text.ts';
import { FlagValues } from '../flag-values.ts';
import { asDefault, type MonitorFlags, monitorCommand, openApi } from '../monitor-command.ts';
import { chooseIdentifier, parseIdentifier } from '../parse-identifier.ts';
import { jsonLine, sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import { terminalOf } from '../terminal/terminal.ts';
import { timeText } from '../terminal/time-text.ts';
import { withOldFlags } from '../with-old-flags.ts';
import { hasMetricFlags, type MetricFlags, metricOfFlags, withMetricFlags } from './metric-flags.ts';
import { expressionOf, metricListText, pointsText, setAsideRows } from './metric-text.ts';
import { pointsChart } from './points-chart.ts';

const EXAMPLES = `
A metric is a statistic of the records in each period of time. The aggregator keeps it up to date.

Examples:
  mega-collector monitor metrics create --default
  mega-collector monitor metrics
  mega-collector monitor metrics get total_traffic
  mega-collector monitor metrics create slow -s p95 -p response_bsize --segment 'section(path)'`;

const CREATE_EXAMPLES = `
Examples:
  mega-collector monitor metrics create --default
  mega-collector monitor metrics create traffic --statistic count --property '*' --period 60 --refresh 60
  mega-collector monitor metrics create per_status --segment status_code --period 10s
  mega-collector monitor metrics create slow --segment 'duration > 500'
  mega-collector monitor metrics create speed --segment-where 'slow=duration > 500' --segment-where 'fast=true'
  mega-collector monitor metrics create errors --filter-severity error --filter-where host.name=web-1`;

const GET_EXAMPLES = `
On a terminal, or with --chart, a chart follows the table: one series over time, or a line for each segment with the
largest first.

Examples:
  mega-collector monitor metrics get total_traffic
  mega-collector monitor metrics get total_traffic_per_route --segment api -n 20
  mega-collector monitor metrics get total_traffic --json | jq .value`;

const EDIT_EXAMPLES = `
The newest values are computed again. Another period or other segments delete the earlier values.

Examples:
  mega-collector monitor metrics edit errors --filter-severity fatal
  mega-collector monitor metrics edit per_status --period 1m --json`;

export function metricsCommand(context: Context): Command {
  const command = new Command('metrics')
    .description('Statistics over time: list, get, create, edit and delete metrics.')
    .addHelpText('after', EXAMPLES);
  command.addCommand(listCommand(context), { isDefault: true });
  command.addCommand(getCommand(context));
  command.addCommand(metaCommand(context));
  command.addCommand(createCommand(context));
  command.addCommand(editCommand(context));
  command.addCommand(deleteCommand(context));
  return command;
}

function listCommand({ io }: Context): Command {
  return asDefault(monitorCommand('list', 'Print one JSON object per metric, one per line.'))
    .description('List all metrics, one per line. This is the default command.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor metrics list --json | jq .definition.id')
    .action(async (flags: MonitorFlags) => {
      const metrics = await (await openApi(flags, io)).metrics();
      io.stdout.write(
        flags.json ? metrics.map(jsonLine).join('') : metricListText(metrics, terminalOf(io, flags)),
      );
    });
}

interface GetFlags extends MonitorFlags {
  readonly limit: string;
  readonly segment?: string;
  readonly chart?: boolean;
}

function getCommand({ io }: Context): Command {
  const command = monitorCommand('get', 'Print one JSON object per value, one per line, newest first.')
    .description('Show the newest values of a metric, newest first.')
    .argument('<id>', 'Name of the metric.')
    .option('-n, --limit <buckets>', 'Number of periods. [default 100]', '100')
    .option('-g, --segment <value>', 'Only this segment.')
    .option('--chart', 'Also draw the chart when the output is not a terminal.')
    .addHelpText('after', GET_EXAMPLES)
    .action(async (text: string, flags: GetFlags) => {
      const id = parseIdentifier(text);
      const values = new FlagValues();
      const asked = { limit: values.number('-n', flags.limit), segment: flags.segment };
      const request = values.checked(pointsRequest, asked, { limit: '-n', segment: '--segment' });
      const api = await openApi(flags, io);
      const [{ definition }, points] = [await api.metric(id), await api.points(id, request)];
      if (flags.json) {
        io.stdout.write(points.map(jsonLine).join(''));
        return;
      }
      const terminal = terminalOf(io, flags);
      const isSegmented = definition.segment !== undefined;
      if (points.length === 0) io.stdout.write('No values yet.\n');
      else io.stdout.write(pointsText(points, isSegmented, terminal));
      if (!terminal.isTerminal && !flags.chart) return;
      const drawn = pointsChart(points, definition.periodSeconds, terminal);
      if (drawn !== '') io.stdout.write(`\n${terminal.paint(expressionOf(definition), 'bold')}\n${drawn}`);
    });
  return withOldFlags(command, { '--number': 'limit' });
}

function metaCommand({ io }: Context): Command {
  return monitorCommand('meta', 'Print JSON.')
    .description('Show the definition of a metric.')
    .argument('<id>', 'Name of the metric.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor metrics meta total_traffic')
    .action(async (text: string, flags: MonitorFlags) => {
      const id = parseIdentifier(text);
      const metric = await (await openApi(flags, io)).metric(id);
      const { definition, createdAt, refreshedAt, points } = metric;
      const terminal = terminalOf(io, flags);
      const more = [
        ['created', timeText(createdAt, terminal)],
        ['refreshed', refreshedAt === null ? 'not yet' : timeText(refreshedAt, terminal)],
        ['points', String(points)],
        ...setAsideRows(metric, terminal),
      ] as const;
      io.stdout.write(flags.json ? jsonLine(metric) : definitionText(definition, more, terminal));
    });
}

interface CreateFlags extends MonitorFlags, MetricFlags {
  readonly default?: boolean;
  readonly identifier?: string;
}

function createCommand({ io }: Context): Command {
  return withMetricFlags(
    monitorCommand('create', 'Print the created metric as JSON.')
      .description('Create a metric, or the default metrics and alert.')
      .argument('[id]', 'Name of the metric: a-z, 0-9 and _.')
      .option('--default', 'Create total_traffic, total_traffic_per_route, and the alert totaltraffic.')
      .option('-i, --identifier <id>', 'The same as ID.'),
  )
    .addHelpText('after', CREATE_EXAMPLES)
    .action(async (text: string | undefined, flags: CreateFlags) => {
      if (flags.default) return await createDefaults(flags, text ?? flags.identifier);
      const definition = metricOfFlags(chooseIdentifier(text, flags.identifier), flags);
      const metric = await (await openApi(flags, io)).createMetric(definition);
      io.stdout.write(
        flags.json ? jsonLine(metric) : `Created ${sanitizeForTerminal(metric.definition.id)}.\n`,
      );
      for (const { message } of metric.unknown ?? [])
        io.stderr.write(`mega-collector: ${sanitizeForTerminal(message)}\n`);
    });

  async function createDefaults(flags: CreateFlags, id: string | undefined): Promise<void> {
    if (id !== undefined || hasMetricFlags(flags)) {
      throw new CommandError(
        '--default cannot be combined with an ID or other flags of a metric.',
        EXIT.usage,
      );
    }
    const answer = await (await openApi(flags, io)).createDefaults();
    const { created, existing } = answer;
    if (flags.json) io.stdout.write(jsonLine(answer));
    if (flags.json) return;
    if (created.length > 0) io.stdout.write(`Created ${created.map(sanitizeForTerminal).join(', ')}.\n`);
    if (existing.length > 0)
      io.stdout.write(`Already exist: ${existing.map(sanitizeForTerminal).join(', ')}.\n`);
  }
}

function editCommand({ io }: Context): Command {
  return withMetricFlags(
    monitorCommand('edit', 'Print the changed metric as JSON.')
      .description('Change the definition of a metric. Values that are not given stay as they are.')
      .argument('<id>', 'Name of the metric.'),
  )
    .addHelpText('after', EDIT_EXAMPLES)
    .action(async (text: string, flags: MonitorFlags & MetricFlags) => {
      const id = parseIdentifier(text);
      const api = await openApi(flags, io);
      const metric = await api.updateMetric(id, metricOfFlags(id, flags, (await api.metric(id)).definition));
      io.stdout.write(flags.json ? jsonLine(metric) : changesText(id, metric.changes));
    });
}

function deleteCommand({ io }: Context): Command {
  return monitorCommand('delete', 'Print JSON.')
    .description('Delete a metric and its values. The records are kept.')
    .argument('<id>', 'Name of the metric.')
    .addHelpText('after', '\nExamples:\n  mega-collector monitor metrics delete per_status')
    .action(async (text: string, flags: MonitorFlags) => {
      const id = parseIdentifier(text);
      await (await openApi(flags, io)).deleteMetric(id);
      io.stdout.write(flags.json ? jsonLine({ deleted: id }) : `Deleted ${id}.\n`);
    });
}
