import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { Json } from '../records/json.ts';
import { type Cancel, systemClock } from '../runtime/clock.ts';
import type { ConfigurationWarning } from '../runtime/configuration/configuration.ts';
import { ConfigurationError } from '../runtime/configuration/configuration-error.ts';
import type { LogLevel } from '../runtime/configuration/log-level.ts';
import type { Role } from '../runtime/configuration/state-directory.ts';
import type { ConnectionTrial } from '../runtime/connection-trial.ts';
import { inheritedSockets } from '../runtime/inherited-sockets.ts';
import { createLogger } from '../runtime/logging/logger.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { CommandError } from './command-error.ts';
import type { Context } from './context.ts';
import { CurrentConfiguration } from './current-configuration.ts';
import {
  type ConfigurationSource,
  type LoadedConfiguration,
  loadConfiguration,
} from './load-configuration.ts';
import { type OneShotEnd, oneShotSummary } from './one-shot/one-shot-summary.ts';
import { ProgressLine } from './one-shot/progress-line.ts';
import { showProgress } from './one-shot/show-progress.ts';
import { EXIT } from './output/exit-codes.ts';
import { type Io, widthOf } from './output/io.ts';
import { jsonText } from './output/json-text.ts';
import { type CheckView, hasFailed, printCheck, type StateDirectories } from './print-check.ts';
import { namedFiles, watchNamedFiles } from './reloaded-files.ts';
import { type RunServiceOptions, runService } from './run-service.ts';
import type { Service, ServiceDependencies } from './service.ts';

/** Reads the configuration and, without --check, runs the service until it ends. */
export async function runAsProcess<Config extends CommonConfig, Runs extends Service<Config>>(
  context: Context,
  command: Command,
  plan: ProcessPlan<Config, Runs>,
): Promise<void> {
  const { io } = context;
  const { check = false, connect = false, json = false, view = 'all' } = command.opts<CheckOptions>();
  if (connect && !check)
    throw new CommandError('--connect requires --check: it tries the connections and exits.', EXIT.usage);
  if (!check) {
    context.exitCode = await runPlan(io, command, plan);
    return;
  }
  try {
    const loaded = await loadConfiguration(command, plan.source, io);
    const config = await settled(plan, loaded.config);
    const extra = (await plan.checked?.(config)) ?? {};
    const connections = connect ? await plan.connect(config) : undefined;
    const stateDirectories = plan.stateDirectories(config);
    printCheck(io, plan.source.table, loaded, { json, view, stateDirectories, extra, connections });
    if (hasFailed(connections)) context.exitCode = EXIT.failure;
  } catch (error) {
    if (!json || !(error instanceof ConfigurationError)) throw error;
    io.stdout.write(`${jsonText({ ok: false, problems: error.problems }, 2)}\n`);
    context.exitCode = EXIT.configuration;
  }
}

interface CommonConfig {
  readonly logLevel: LogLevel;
  readonly shutdownTimeoutMs: number;
}

/** Creates the logger and the metrics of a half, with what it shares with the process. */
export type DependenciesOf = (role: Role, logLevel: LogLevel) => ServiceDependencies;

/** How a command runs a collector, an aggregator, or both. */
export interface ProcessPlan<Config extends CommonConfig, Runs extends Service<Config>> {
  readonly name: Role | 'standalone';
  readonly source: ConfigurationSource<Config>;
  /** Decides what depends on the files of this machine; parsing does no I/O. */
  readonly settle?: (config: Config) => Promise<Config>;
  readonly create: (config: Config, dependenciesOf: DependenciesOf) => Promise<Runs>;
  readonly stateDirectories: (config: Config) => StateDirectories;
  /** What --check prints besides the variables. */
  readonly checked?: (
    config: Config,
  ) => Readonly<Record<string, Json>> | Promise<Readonly<Record<string, Json>>>;
  /** For --check --connect: tries the targets that the configuration names, without changes. */
  readonly connect: (config: Config) => Promise<readonly ConnectionTrial[]>;
  /** undefined: the service runs until a signal stops it. */
  readonly oneShot?: (service: Runs, config: Config) => OneShot | undefined;
  /** Watches the service while it runs, until the returned function is called. */
  readonly watch?: (service: Runs, config: Config, logger: Logger) => Cancel;
}

/** A run that ends by itself. */
export interface OneShot {
  /** Resolves when the run is complete. */
  done(): Promise<void>;
  /** The current progress, also after the stop. */
  report(): OneShotEnd;
  /** Records are written to standard output. */
  readonly printsRecords: boolean;
  /** Files that the run cannot read, found before its start: whole sentences. */
  readonly leftOut?: readonly string[];
}

interface CheckOptions {
  readonly check?: boolean;
  readonly connect?: boolean;
  readonly json?: boolean;
  /** Set by the command `config`. */
  readonly view?: CheckView;
}

/**
 * Adds the options of --check, which every service has. `json`: the flags whose output is JSON with --json.
 */
export function addCheckOptions(command: Command, json = '--check'): Command {
  return command
    .option('--config <path>', 'Read variables from a YAML file. Flags and the environment win.')
    .option('--check', 'Validate the configuration, print it, and exit.')
    .option('--connect', 'With --check: also try to open files and to connect to all servers.')
    .option('--json', `With ${json}: print JSON instead of text.`);
}

async function runPlan<Config extends CommonConfig, Runs extends Service<Config>>(
  io: Io,
  command: Command,
  plan: ProcessPlan<Config, Runs>,
): Promise<number> {
  const loaded = await loadConfiguration(command, plan.source, io);
  const { config: parsed, warnings, given, file } = loaded;
  const config = await settled(plan, parsed);
  const pretty = io.stderr.isTTY === true;
  const to = new ProgressLine(io.logOutput());
  const colours = !io.environment.NO_COLOR;
  const loggers: Logger[] = [];
  const loggerOf = (name: string, level: LogLevel) => {
    const created = createLogger({ level, name, pretty, colours, to });
    loggers.push(created);
    return created;
  };
  const logger = loggerOf(plan.name, config.logLevel);
  for (const warning of warnings) logger.warn({ variable: warning.variable }, sentence(warning));
  const stdout = io.recordOutput();
  const service = await plan.create(config, (role, logLevel) => ({
    logger: loggerOf(role, logLevel),
    metrics: createMetrics({ prefix: `${role}_`, version: io.version }),
    clock: systemClock,
    stdout,
    version: io.version,
    inheritedSockets: inheritedSockets(io.environment, process.pid),
  }));
  const oneShot = plan.oneShot?.(service, config);
  const { shutdownTimeoutMs } = config;
  const current = new CurrentConfiguration(plan.source.table, given, logger);
  const reopen = async () => {
    const again = await reread(io, command, plan.source, logger);
    if (again !== undefined) current.reloaded(again.given);
    if (again !== undefined) for (const each of loggers) each.level = again.config.logLevel;
    await service.reopen(again?.config);
  };
  // A one-shot run ends before certificates are renewed.
  const files = oneShot === undefined ? namedFiles(plan.source.table, given, config, file) : [];
  const watcher = watchNamedFiles({ files, reload: reopen, logger, clock: systemClock });
  void watcher?.start();
  const stopWatching = plan.watch?.(service, config, logger);
  try {
    return await runService({
      ...{ service, reopen, logger, io, shutdownTimeoutMs },
      ...(oneShot !== undefined && oneShotOptions(oneShot, { io, line: to, logger })),
    });
  } finally {
    stopWatching?.();
    await watcher?.stop();
  }
}

function oneShotOptions(
  oneShot: OneShot,
  { io, line, logger }: { readonly io: Io; readonly line: ProgressLine; readonly logger: Logger },
): Pick<RunServiceOptions, 'done' | 'completed'> {
  const { stderr, stdout, environment } = io;
  const isTerminal = stderr.isTTY === true && environment.TERM !== 'dumb';
  const isDisturbed = oneShot.printsRecords && stdout.isTTY === true;
  const columns = () => widthOf(stderr) ?? 0;
  const erase =
    isTerminal && !isDisturbed
      ? showProgress({ line, report: () => oneShot.report(), clock: systemClock, columns })
      : () => {};
  return {
    done: () => oneShot.done().finally(erase),
    completed: async () => {
      erase();
      const { text, isComplete } = oneShotSummary(oneShot.report());
      if (isComplete) logger.info(text);
      else logger.error(text);
      const { leftOut = [] } = oneShot;
      for (const problem of leftOut) logger.error(problem);
      return isComplete && leftOut.length === 0;
    },
  };
}

async function settled<Config extends CommonConfig, Runs extends Service<Config>>(
  { settle }: ProcessPlan<Config, Runs>,
  config: Config,
): Promise<Config> {
  return settle === undefined ? config : await settle(config);
}

/**
 * The environment of a process does not change, but the file of --config and the files that it names do. undefined: they
 * are invalid now.
 */
async function reread<Config>(
  io: Io,
  command: Command,
  source: ConfigurationSource<Config>,
  logger: Logger,
): Promise<LoadedConfiguration<Config> | undefined> {
  try {
    return await loadConfiguration(command, source, io);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { problems } = error;
    logger.error({ problems }, 'The configuration is no longer valid; keeping the current one');
    return undefined;
  }
}

function sentence({ variable, message }: ConfigurationWarning): string {
  return `${variable} ${message}`;
}
