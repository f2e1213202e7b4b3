import { Command } from 'commander';
import { collectorVariables, parseCollectorConfig } from '../../collector/config.ts';
import type { Context } from '../context.ts';
import { runAsProcess } from '../run-as-process.ts';
import { addVariableFlags } from '../variable-flags.ts';

const EXAMPLES = `
Examples:
  mega-collector collector --tail '/var/log/nginx/*.log'
  mega-collector collector --tail /var/log/syslog --aggregator-address logs.example.com:8000
  mega-collector collector --tail access.log --once

Every flag is also the variable in brackets; flags win. SIGTERM stops within the shutdown timeout.`;

export function collectorCommand(context: Context): Command {
  const table = collectorVariables();
  const command = new Command('collector')
    .description('Follow files and stream their records to an aggregator.')
    .option('--check', 'Validate the configuration, print it, and exit.')
    .option('--json', 'With --check: print JSON.')
    .addHelpText('after', EXAMPLES);
  addVariableFlags(command, table);
  return command.action(() =>
    runAsProcess(context, command, {
      name: 'collector',
      source: { table, parse: parseCollectorConfig },
      create: (config, dependenciesOf) =>
        context.io.services.createCollector(config, dependenciesOf('collector', config.logLevel)),
      stateDirectories: ({ stateDirectory }) => ({ COLLECTOR_STATE_DIRECTORY: stateDirectory }),
      done: (service, { once }) => (once ? () => service.drained() : undefined),
    }),
  );
}
