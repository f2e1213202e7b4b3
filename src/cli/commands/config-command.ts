import { Command } from 'commander';
import type { Context } from '../context.ts';
import type { CheckView } from '../print-check.ts';

const EXAMPLES = `
A configuration file is YAML with the names of the variables; JSON values and lists are written as YAML:

  AGGREGATOR_RETRY_DELAY: 10s
  AGGREGATOR_FILE_CONFIGURATION:
    path: /var/log/all.log
  COLLECTOR_TAIL:
    - /var/log/*.log

Flags win over the environment, and the environment over the file. SIGHUP, and a change of the file, reload it: the log
level, certificates and filters are used at once; the log names other changed variables, which need a restart.

Examples:
  mega-collector config show aggregator --config /etc/mega-collector/aggregator.yaml
  mega-collector config check standalone --config mega-collector.yaml --connect
  mega-collector config check collector --json`;

const SERVICES: Readonly<Record<string, () => Promise<(context: Context) => Command>>> = {
  aggregator: async () => (await import('./aggregator-command.ts')).aggregatorCommand,
  collector: async () => (await import('./collector-command.ts')).collectorCommand,
  standalone: async () => (await import('./standalone-command.ts')).standaloneCommand,
};

/** The same as `--check` of the services, as commands. Loads the services. */
export async function loadConfigCommand(): Promise<(context: Context) => Command> {
  const services = await Promise.all(Object.values(SERVICES).map((load) => load()));
  return (context) => {
    const show = new Command('show').description(
      'Print the variables that are set, with the place of each value.',
    );
    const check = new Command('check').description(
      'Validate the configuration; with --connect also the connections.',
    );
    for (const create of services) {
      show.addCommand(serviceCommand(create(context), 'set'));
      check.addCommand(serviceCommand(create(context), 'verdict'));
    }
    return new Command('config').addHelpText('after', EXAMPLES).addCommand(show).addCommand(check);
  };
}

function serviceCommand(command: Command, view: CheckView): Command {
  command.description(`Of the command ${command.name()}.`);
  command.setOptionValue('check', true);
  return command.setOptionValue('view', view);
}
