import { Command } from 'commander';
import { aggregatorVariables, parseAggregatorConfig } from '../../aggregator/config.ts';
import { checkedFilters } from '../../aggregator/filters/checked-filters.ts';
import { filterOptions } from '../../aggregator/filters/filter-options.ts';
import { addVariableFlags } from '../add-variable-flags.ts';
import { tryOutputs } from '../connect/try-outputs.ts';
import type { Context } from '../context.ts';
import { emittersReport } from '../print-check.ts';
import { addCheckOptions, runAsProcess } from '../run-as-process.ts';

const EXAMPLES = `
Examples:
  AGGREGATOR_TEXT_CONFIGURATION=1 mega-collector aggregator
  mega-collector aggregator --file-configuration '{"path": "/var/log/all.log"}' --max-batch-size 5000
  mega-collector aggregator --check

Each flag can also be set by the variable in brackets; the flag wins. SIGTERM stops the process within the shutdown
timeout. SIGHUP reopens output files and rereads certificates.`;

export function aggregatorCommand(context: Context): Command {
  const table = aggregatorVariables();
  const command = new Command('aggregator').addHelpText('after', EXAMPLES);
  addCheckOptions(command);
  addVariableFlags(command, table);
  return command.action(() =>
    runAsProcess(context, command, {
      name: 'aggregator',
      source: { table, parse: parseAggregatorConfig },
      create: (config, dependenciesOf) =>
        context.io.services.createAggregator(config, dependenciesOf('aggregator', config.logLevel)),
      stateDirectories: ({ stateDirectory }) => ({ AGGREGATOR_STATE_DIRECTORY: stateDirectory }),
      connect: tryOutputs,
      checked: async (config) => ({
        emitters: emittersReport(config.emitters, await checkedFilters(filterOptions(config))),
      }),
    }),
  );
}
