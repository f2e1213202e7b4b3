import type { Command } from 'commander';
import { alertDefinition, COMPARISONS } from '../../../monitoring/alert-definition.ts';
import { STATISTICS } from '../../../monitoring/metric-definition.ts';
import { editedDefinition } from '../edit-text.ts';
import { type FlagNames, FlagValues } from '../flag-values.ts';
import { withOldFlags } from '../with-old-flags.ts';

export interface AlertFlags {
  readonly metric?: string;
  readonly statistic?: string;
  readonly comparison?: string;
  readonly level?: string;
  readonly window?: string;
  readonly for?: string;
  readonly check?: string;
  /** Commander treats `--no-data` as the negation of `--data`; true: the flag was not given. */
  readonly data?: string | true;
  readonly fillMissing?: boolean;
  readonly notify?: boolean;
}

const FLAGS: FlagNames = {
  id: 'ID',
  metric: '--metric',
  statistic: '--statistic',
  comparison: '--comparison',
  level: '--level',
  windowSeconds: '--window',
  forSeconds: '--for',
  checkSeconds: '--check',
  noData: '--no-data',
  fillMissing: '--fill-missing',
  notify: '--notify',
};

export function withAlertFlags(command: Command): Command {
  const withFlags = command
    .option('-m, --metric <id>', 'Metric whose values the alert watches.')
    .option(
      '-s, --statistic <statistic>',
      `Statistic of the values in the window: ${STATISTICS.join(', ')}. [default avg]`,
    )
    .option(
      '-o, --comparison <comparison>',
      `Comparison of the statistic with the level: ${COMPARISONS.join(' ')} (quote it in a shell). [default >]`,
    )
    .option('-l, --level <number>', 'Threshold: the alert fires while the comparison is true.')
    .option('-w, --window <time>', 'Length of the window: seconds, or 120s, 5m. [default 60]')
    .option(
      '-f, --for <time>',
      'Time for which the comparison must be true before the alert fires. [default 0]',
    )
    .option('-c, --check <time>', "Interval between checks. [default: the metric's period]")
    .option(
      '--no-data <state>',
      'State for a window without values: no-data, ok, firing, keep. [default no-data]',
    )
    .option('--fill-missing', 'Count a period without records as 0. [default for metrics that count]')
    .option('--no-fill-missing', 'Ignore periods without records.')
    .option('--notify', 'Send a page when the alert fires. [default]')
    .option('--no-notify', 'Send no page.');
  return withOldFlags(withFlags, { '--stat': 'statistic', '--op': 'comparison' });
}

/**
 * The checked values of the flags, for the aggregator to complete. `before`: a definition that they change. Throws
 * CommandError.
 */
export function alertOfFlags(id: string, flags: AlertFlags, before: object = {}): unknown {
  const values = new FlagValues();
  const definition = editedDefinition(before, {
    id,
    metric: flags.metric,
    statistic: flags.statistic,
    comparison: flags.comparison,
    level: values.number('--level', flags.level),
    windowSeconds: values.seconds('--window', flags.window),
    forSeconds: values.seconds('--for', flags.for),
    checkSeconds: values.seconds('--check', flags.check),
    noData: flags.data === true ? undefined : flags.data,
    fillMissing: flags.fillMissing,
    notify: flags.notify,
  });
  values.checked(alertDefinition, definition, FLAGS);
  return definition;
}
