import type { BigIntStats } from 'node:fs';
import { fstat } from 'node:fs';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { emittersReport } from '../check-report.ts';
import { checkTail, tailReport } from '../check-tail.ts';
import { tryInputs } from '../connect/try-collector.ts';
import { tryOutputs } from '../connect/try-outputs.ts';
import type { Context } from '../context.ts';
import { continuesOrdinaryState } from '../once-state.ts';
import type { Output } from '../output/io.ts';
import { addCheckOptions, runAsProcess } from '../run-as-process.ts';
import { checkSourceFile, watchSourceFile } from '../source-file.ts';
import { refuseOutputLoops } from '../standalone/refuse-output-loops.ts';
import { parseStandaloneConfig, type StandaloneConfig } from '../standalone/standalone-configuration.ts';
import { standaloneVariables } from '../standalone/standalone-variables.ts';
import { addVariableFlags } from '../variable-flags.ts';

const EXAMPLES = `
Without an emitter, records are printed, and kept in the embedded store, where mega-collector monitor finds them; with
SERVE_DB_DIR they go to logplex, as its serve database says. The halves keep their state below
.../mega-collector/standalone, and answer status and explain as if they were two processes.

Examples:
  mega-collector standalone --tail '/var/log/*.log'
  mega-collector standalone --tail access.log --once > records.txt
  SERVE_DB_DIR=/srv/serves LOGPLEX_URL=https://logplex.example.com/logs mega-collector standalone
  mega-collector standalone --tail '/var/log/*.log' --file-configuration '{"path": "/srv/all.log"}' --check

Every flag is also the variable in brackets; flags win. SIGTERM stops within both shutdown timeouts, SIGHUP reopens files.`;

export function standaloneCommand(context: Context): Command {
  const table = standaloneVariables();
  const command = new Command('standalone')
    .description('Run collector and aggregator in one process.')
    .addHelpText('after', EXAMPLES);
  addCheckOptions(command);
  addVariableFlags(command, table);
  return command.action(() =>
    runAsProcess(context, command, {
      name: 'standalone',
      source: { table, parse: parseStandaloneConfig },
      settle: withOnceState,
      create: async (config, dependenciesOf) => {
        const collector = dependenciesOf('collector', config.collector.logLevel);
        await checkSourceFile(config.collector, collector.logger);
        await checkTail(config.collector, collector.logger);
        await refuseOutputLoops(config, await fileOf(context.io.stdout));
        const aggregator = dependenciesOf('aggregator', config.aggregator.logLevel);
        return context.io.services.createStandalone(config, { collector, aggregator });
      },
      stateDirectories: ({ collector, aggregator }) => ({
        COLLECTOR_STATE_DIRECTORY: collector.stateDirectory,
        AGGREGATOR_STATE_DIRECTORY: aggregator.stateDirectory,
      }),
      connect: async ({ collector, aggregator }) => [
        ...(await tryInputs(collector)),
        ...(await tryOutputs(aggregator)),
      ],
      checked: async (config) => {
        // The standard output of a check is not that of the run.
        await refuseOutputLoops(config, undefined);
        return {
          tail: await tailReport(config.collector),
          emitters: emittersReport(config.aggregator.emitters),
        };
      },
      watch: (service, { collector }, logger) =>
        watchSourceFile(collector, { report: () => service.oneShotReport(), logger }),
      oneShot: (service, { collector, aggregator }) =>
        collector.once
          ? {
              done: () => service.drained(),
              report: () => service.oneShotReport(),
              printsRecords: aggregator.emitters.some(({ type }) => type.type === 'text'),
            }
          : undefined,
    }),
  );
}

/** The file to which an output is redirected; undefined when it has no descriptor. */
async function fileOf({ fd }: Output): Promise<BigIntStats | undefined> {
  return fd === undefined ? undefined : await promisify(fstat)(fd, { bigint: true });
}

async function withOnceState(config: StandaloneConfig): Promise<StandaloneConfig> {
  const { collector, aggregator, ordinaryStateDirectories: ordinary = {} } = config;
  const halves = [
    { own: collector.stateDirectory, ordinary: ordinary.collector },
    { own: aggregator.stateDirectory, ordinary: ordinary.aggregator },
  ].flatMap(({ own, ordinary: path }) => (path === undefined ? [] : [{ own, ordinary: path }]));
  if (!(await continuesOrdinaryState(halves))) return config;
  return {
    ...config,
    collector: { ...collector, stateDirectory: ordinary.collector ?? collector.stateDirectory },
    aggregator: { ...aggregator, stateDirectory: ordinary.aggregator ?? aggregator.stateDirectory },
  };
}
