import type { Command } from 'commander';
import { alertDefinition, COMPARISONS } from '../../../monitoring/alert-definition.ts';
import { STATISTICS } from '../../../monitoring/metric-definition.ts';
import { type FlagNames, FlagValues } from '../flag-values.ts';
import { withOldFlags } from '../old-flags.ts';

export interface AlertFlags {
  readonly metric?: string;
  readonly statistic?: string;
  readonly comparison?: string;
  readonly level?: string;
  readonly window?: string;
  readonly for?: string;
  readonly check?: string;
  /** Commander takes `--no-data` for the negation of `--data`; true: it was not given. */
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
    .option('-m, --metric <id>', 'Whose values it watches.')
    .option(
      '-s, --statistic <statistic>',
      `Of the values in the window: ${STATISTICS.join(', ')}. [default avg]`,
    )
    .option(
      '-o, --comparison <comparison>',
      `${COMPARISONS.join(' ')} - in quotes, for the shell. [default >]`,
    )
    .option('-l, --level <number>', 'It fires when: statistic, comparison, level.')
    .option('-w, --window <time>', 'The newest values that it looks at: seconds, or 120s, 5m. [default 60]')
    .option('-f, --for <time>', 'It has to hold for so long before it fires. [default 0]')
    .option('-c, --check <time>', "How often it looks. [default: the metric's period]")
    .option(
      '--no-data <state>',
      'What a window without values means: no-data, ok, firing, keep. [default no-data]',
    )
    .option('--fill-missing', 'A period without records counts as 0. [default: of metrics that count]')
    .option('--no-fill-missing', 'A period without records does not count.')
    .option('--notify', 'Page while it fires. [default]')
    .option('--no-notify', 'Page nobody.');
  return withOldFlags(withFlags, { '--stat': 'statistic', '--op': 'comparison' });
}

/** What the user has said, checked, for the aggregator to complete. Throws CommandError. */
export function alertOfFlags(id: string, flags: AlertFlags): unknown {
  const values = new FlagValues();
  const definition = {
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
  };
  values.checked(alertDefinition, definition, FLAGS);
  return definition;
}
