import type { Command } from 'commander';
import { SEVERITIES } from '../../../logstore/logs/log-requests.ts';
import { metricDefinition, STATISTICS } from '../../../monitoring/metric-definition.ts';
import { CommandError } from '../../command-error.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { editedDefinition } from '../edit-text.ts';
import { type FlagNames, FlagValues } from '../flag-values.ts';
import { withOldFlags } from '../with-old-flags.ts';
import { readSegment } from './read-segment.ts';

export interface MetricFlags {
  readonly statistic?: string;
  readonly property?: string;
  readonly period?: string;
  readonly refresh?: string;
  readonly startOffset?: string;
  readonly endOffset?: string;
  readonly segment?: string;
  readonly segmentWhere?: readonly string[];
  readonly filterText?: string;
  readonly filterSeverity?: string;
  readonly filterHost?: string;
  readonly filterService?: string;
  readonly filterWhere?: readonly string[];
}

const FLAGS: FlagNames = {
  id: 'ID',
  statistic: '--statistic',
  property: '--property',
  periodSeconds: '--period',
  refreshSeconds: '--refresh',
  startOffsetSeconds: '--start-offset',
  endOffsetSeconds: '--end-offset',
  segment: '--segment',
  'filter.text': '--filter-text',
  'filter.severity': '--filter-severity',
  'filter.host': '--filter-host',
  'filter.service': '--filter-service',
  'filter.where': '--filter-where',
};

export function withMetricFlags(command: Command): Command {
  const withFlags = command
    .option(
      '-s, --statistic <statistic>',
      `Statistic of the records in each period: ${STATISTICS.join(', ')}. [default count]`,
    )
    .option(
      '-p, --property <property>',
      'Property of the statistic; * for the records themselves. [default *]',
    )
    .option('-P, --period <time>', 'Length of a period: seconds, or 10s, 1h. [default 60]')
    .option('-r, --refresh <time>', 'Refresh interval. [default: the period]')
    .option('--start-offset <time>', 'Maximum delay of a record that is still counted. [default 24h]')
    .option(
      '--end-offset <time>',
      'Time after which a period is computed for the first time. [default: the period]',
    )
    .option(
      '-g, --segment <property>',
      'Compute one series for each value of this property (status_code, section(path)), or for true and false of ' +
        "this expression ('status_code >= 500').",
    )
    .option(
      '--segment-where <name=expression>',
      'Compute one series for each name: of the records for which its expression is true, and no expression before ' +
        'it. May be repeated.',
      collect,
    )
    .option('--filter-text <text>', 'Only records that contain this text.')
    .option(
      '--filter-severity <severity>',
      `Only records of this minimum severity: ${SEVERITIES.join(', ')}.`,
    )
    .option('--filter-host <name>', 'Only records with this host.name.')
    .option('--filter-service <name>', 'Only records with this service.name.')
    .option(
      '--filter-where <condition>',
      'Only records with this value, or for which this expression is true. May be repeated.',
      collect,
    );
  return withOldFlags(withFlags, OLD_FLAGS);
}

/** Flag names of earlier versions. */
const OLD_FLAGS = {
  '--stat': 'statistic',
  '--prop': 'property',
  '--refresh-rate': 'refresh',
  '--refresh_rate': 'refresh',
} as const;

/** Collects the values of a repeated flag. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function hasMetricFlags(flags: MetricFlags): boolean {
  return (
    Object.values(readFlags('x', flags, new FlagValues())).filter((each) => each !== undefined).length > 1
  );
}

/**
 * The checked values of the flags, for the aggregator to complete. `before`: a definition that they change. Throws
 * CommandError.
 */
export function metricOfFlags(id: string, flags: MetricFlags, before: object = {}): unknown {
  const values = new FlagValues();
  const definition = editedDefinition(before, readFlags(id, flags, values));
  const isNamed = flags.segmentWhere !== undefined;
  values.checked(metricDefinition, definition, { ...FLAGS, ...(isNamed && { segment: '--segment-where' }) });
  return definition;
}

function segmentOf({ segment, segmentWhere }: MetricFlags, values: FlagValues): unknown {
  if (segmentWhere === undefined) return segment === undefined ? undefined : readSegment(segment);
  if (segment === undefined) return values.named('--segment-where', segmentWhere);
  throw new CommandError('--segment and --segment-where cannot be combined: use one of them.', EXIT.usage);
}

function readFlags(id: string, flags: MetricFlags, values: FlagValues) {
  const filter = {
    text: flags.filterText,
    severity: flags.filterSeverity,
    host: flags.filterHost,
    service: flags.filterService,
    where: values.pairs('--filter-where', flags.filterWhere),
  };
  return {
    id,
    statistic: flags.statistic,
    property: flags.property,
    periodSeconds: values.seconds('--period', flags.period),
    refreshSeconds: values.seconds('--refresh', flags.refresh),
    startOffsetSeconds: values.seconds('--start-offset', flags.startOffset),
    endOffsetSeconds: values.seconds('--end-offset', flags.endOffset),
    segment: segmentOf(flags, values),
    ...(Object.values(filter).some((each) => each !== undefined) && { filter }),
  };
}
