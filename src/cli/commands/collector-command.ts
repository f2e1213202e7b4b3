import { Command } from 'commander';
import { type CollectorConfig, collectorVariables, parseCollectorConfig } from '../../collector/config.ts';
import { addVariableFlags } from '../add-variable-flags.ts';
import { checkSourceFile, sourceFileReport, watchSourceFile } from '../check-source-file.ts';
import { checkTail, tailReport } from '../check-tail.ts';
import { tryCollector } from '../connect/try-collector.ts';
import type { Context } from '../context.ts';
import { continuesOrdinaryState } from '../continues-ordinary-state.ts';
import { addCheckOptions, runAsProcess } from '../run-as-process.ts';
import type { CollectorService } from '../services.ts';
import { tailInputs } from '../tail-inputs.ts';

const EXAMPLES = `
Examples:
  mega-collector collector --tail '/var/log/nginx/*.log'
  mega-collector collector --tail /var/log/syslog --aggregator-address logs.example.com:8000
  mega-collector collector --tail access.log --once
  mega-collector collector --source access.log --watch

--source reads the new lines of an access log since the last run. With --watch it also follows the file. The same bytes
are never stored twice: append lines to read them again (cat sample.log >> access.log).
-s, -w and -n are short for --source, --watch and --now. With --watch or --now, the default source is access.log in
the directory for temporary files.

Each flag can also be set by the variable in brackets; the flag wins. SIGTERM stops the process within the shutdown
timeout.`;

export function collectorCommand(context: Context): Command {
  const { io } = context;
  const table = collectorVariables();
  const command = new Command('collector').addHelpText('after', EXAMPLES);
  addCheckOptions(command, '--check or --source');
  addVariableFlags(command, table);
  let leftOut: readonly string[] = [];
  return command.action(() =>
    runAsProcess(context, command, {
      name: 'collector',
      source: { table, parse: parseCollectorConfig },
      settle: withOnceState,
      create: async (config, dependenciesOf) => {
        const dependencies = dependenciesOf('collector', config.logLevel);
        await checkSourceFile(tailInputs(config), dependencies.logger);
        leftOut = await checkTail(tailInputs(config), dependencies.logger);
        return io.services.createCollector(config, dependencies);
      },
      connect: tryCollector,
      checked: async (config) => ({ tail: await tailReport(tailInputs(config)) }),
      stateDirectories: ({ stateDirectory }) => ({ COLLECTOR_STATE_DIRECTORY: stateDirectory }),
      watch: (service, config, logger) =>
        watchSourceFile(tailInputs(config), { report: () => service.oneShotReport(), logger }),
      oneShot: (service, config) =>
        config.once
          ? {
              done: () => readOnce(service, config),
              report: () => service.oneShotReport(),
              printsRecords: false,
              leftOut,
            }
          : undefined,
    }),
  );

  async function readOnce(service: CollectorService, config: CollectorConfig): Promise<void> {
    const { sourceFile } = tailInputs(config);
    await service.drained();
    if (sourceFile === undefined) return;
    const { json = false } = command.opts<{ json?: boolean }>();
    io.stdout.write(sourceFileReport(sourceFile, service.accepted(), { json }));
  }
}

async function withOnceState(config: CollectorConfig): Promise<CollectorConfig> {
  const { stateDirectory: own, ordinaryStateDirectory: ordinary } = config;
  if (ordinary === undefined || !(await continuesOrdinaryState([{ own, ordinary }]))) return config;
  return { ...config, stateDirectory: ordinary };
}
