import type { BigIntStats } from 'node:fs';
import { fstat } from 'node:fs';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { checkedFilters } from '../../aggregator/filters/checked-filters.ts';
import { filterOptions } from '../../aggregator/filters/filter-options.ts';
import { addVariableFlags } from '../add-variable-flags.ts';
import { checkSourceFile, watchSourceFile } from '../check-source-file.ts';
import { checkTail, tailReport } from '../check-tail.ts';
import { tryInputs } from '../connect/try-collector.ts';
import { tryOutputs } from '../connect/try-outputs.ts';
import type { Context } from '../context.ts';
import { continuesOrdinaryState } from '../continues-ordinary-state.ts';
import type { Output } from '../output/io.ts';
import { emittersReport } from '../print-check.ts';
import { addCheckOptions, runAsProcess } from '../run-as-process.ts';
import { parseStandaloneConfig, type StandaloneConfig } from '../standalone/parse-standalone-config.ts';
import { refuseOutputLoops } from '../standalone/refuse-output-loops.ts';
import { standaloneVariables } from '../standalone/standalone-variables.ts';
import { tailInputs } from '../tail-inputs.ts';

const EXAMPLES = `
Without an emitter, records are printed and kept in the embedded store, where mega-collector monitor finds them. With
SERVE_DB_DIR they are sent to logplex, to the destinations in the serve database. The halves keep their state below
.../mega-collector/standalone. The commands status and explain work as with two processes.

Examples:
  mega-collector standalone --tail '/var/log/*.log'
  mega-collector standalone --tail access.log --once > records.txt
  SERVE_DB_DIR=/srv/serves LOGPLEX_URL=https://logplex.example.com/logs mega-collector standalone
  mega-collector standalone --tail '/var/log/*.log' --file-configuration '{"path": "/srv/all.log"}' --check

Each flag can also be set by the variable in brackets; the flag wins. SIGTERM stops the process within both shutdown
timeouts. SIGHUP reopens output files and rereads certificates.`;

export function standaloneCommand(context: Context): Command {
  const table = standaloneVariables();
  const command = new Command('standalone').addHelpText('after', EXAMPLES);
  addCheckOptions(command);
  addVariableFlags(command, table);
  let leftOut: readonly string[] = [];
  return command.action(() =>
    runAsProcess(context, command, {
      name: 'standalone',
      source: { table, parse: parseStandaloneConfig },
      settle: withOnceState,
      create: async (config, dependenciesOf) => {
        const collector = dependenciesOf('collector', config.collector.logLevel);
        await checkSourceFile(tailInputs(config.collector), collector.logger);
        leftOut = await checkTail(tailInputs(config.collector), collector.logger);
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
        // A check has another standard output than the run.
        await refuseOutputLoops(config, undefined);
        return {
          tail: await tailReport(tailInputs(config.collector)),
          emitters: emittersReport(
            config.aggregator.emitters,
            await checkedFilters(filterOptions(config.aggregator)),
          ),
        };
      },
      watch: (service, { collector }, logger) =>
        watchSourceFile(tailInputs(collector), { report: () => service.oneShotReport(), logger }),
      oneShot: (service, { collector, aggregator }) =>
        collector.once
          ? {
              done: () => service.drained(),
              report: () => service.oneShotReport(),
              printsRecords: aggregator.emitters.some(({ type }) => type.type === 'text'),
              leftOut,
            }
          : undefined,
    }),
  );
}

/** The file to which an output is redirected; undefined if it has no descriptor. */
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
