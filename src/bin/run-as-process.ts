import type { Command } from 'commander';
import type { Logger } from 'pino';
import { systemClock } from '../runtime/clock.ts';
import type { ConfigurationWarning } from '../runtime/configuration.ts';
import { ConfigurationError } from '../runtime/configuration-error.ts';
import type { Json } from '../runtime/json.ts';
import type { LogLevel } from '../runtime/log-level.ts';
import { createLogger } from '../runtime/logger.ts';
import { createMetrics } from '../runtime/metrics.ts';
import type { Role } from '../runtime/state-directory.ts';
import { printCheck } from './check-report.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import type { Io } from './io.ts';
import { type ConfigurationSource, loadConfiguration } from './load-configuration.ts';
import { runService } from './run-service.ts';
import type { Service, ServiceDependencies } from './services.ts';

interface CommonConfig {
  readonly logLevel: LogLevel;
  readonly shutdownTimeoutMs: number;
  readonly stateDirectory: string;
}

/** One half of the pair, as its command describes it. */
export interface ProcessPlan<Config extends CommonConfig, Runs extends Service<Config>> {
  readonly role: Role;
  readonly source: ConfigurationSource<Config>;
  readonly create: (config: Config, dependencies: ServiceDependencies) => Promise<Runs>;
  /** What --check tells besides the variables. */
  readonly checked?: (config: Config) => Readonly<Record<string, Json>>;
  /** undefined: runs until it is told to stop. */
  readonly done?: (service: Runs, config: Config) => (() => Promise<void>) | undefined;
}

/** The configuration is read and, unless it is only to be checked, the half runs until it ends. */
export async function runAsProcess<Config extends CommonConfig, Runs extends Service<Config>>(
  context: Context,
  command: Command,
  plan: ProcessPlan<Config, Runs>,
): Promise<void> {
  const { io } = context;
  const { check = false, json = false } = command.opts<{ check?: boolean; json?: boolean }>();
  if (!check) {
    context.exitCode = await runHalf(io, command, plan);
    return;
  }
  try {
    const loaded = await loadConfiguration(command, plan.source, io);
    printCheck(io, plan.source.table, loaded, { json, extra: plan.checked?.(loaded.config) ?? {} });
  } catch (error) {
    if (!json || !(error instanceof ConfigurationError)) throw error;
    io.stdout.write(`${JSON.stringify({ ok: false, problems: error.problems }, undefined, 2)}\n`);
    context.exitCode = EXIT.configuration;
  }
}

async function runHalf<Config extends CommonConfig, Runs extends Service<Config>>(
  io: Io,
  command: Command,
  plan: ProcessPlan<Config, Runs>,
): Promise<number> {
  const { config, warnings } = await loadConfiguration(command, plan.source, io);
  const logger = createLogger({
    level: config.logLevel,
    name: plan.role,
    pretty: io.stderr.isTTY === true,
    ...(io.stderr === process.stderr ? {} : { to: io.stderr }),
  });
  for (const warning of warnings) logger.warn({ variable: warning.variable }, sentence(warning));
  const service = await plan.create(config, {
    logger,
    metrics: createMetrics({ prefix: `${plan.role}_`, version: io.version }),
    clock: systemClock,
    stdout: io.recordOutput(),
    version: io.version,
  });
  const done = plan.done?.(service, config);
  const { shutdownTimeoutMs } = config;
  const reopen = async () => service.reopen(await reread(io, command, plan.source, logger));
  return runService({
    ...{ service, reopen, logger, io, shutdownTimeoutMs },
    ...(done === undefined ? {} : { done }),
  });
}

/** The environment of a process does not change, but the files that it names do. undefined: they are wrong now. */
async function reread<Config>(
  io: Io,
  command: Command,
  source: ConfigurationSource<Config>,
  logger: Logger,
): Promise<Config | undefined> {
  try {
    return (await loadConfiguration(command, source, io)).config;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { problems } = error;
    logger.error({ problems }, 'The configuration is not valid any more; certificates stay as they were');
    return undefined;
  }
}

function sentence({ variable, message }: ConfigurationWarning): string {
  return `${variable} ${message}`;
}
