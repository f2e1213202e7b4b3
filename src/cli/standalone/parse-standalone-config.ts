import { type AggregatorConfig, parseAggregatorConfig } from '../../aggregator/config.ts';
import { AGGREGATOR_VARIABLES } from '../../aggregator/variables.ts';
import { type CollectorConfig, parseCollectorConfig } from '../../collector/config.ts';
import { sourceTypes } from '../../collector/sources/registry.ts';
import type { ConfiguredSource } from '../../collector/sources/source-type.ts';
import { emitterTypes } from '../../emitters/registry.ts';
import type { ConfigurationWarning, Environment } from '../../runtime/configuration/configuration.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import type { LogLevel } from '../../runtime/configuration/log-level.ts';
import {
  onceStandaloneStateDirectory,
  type Role,
  standaloneStateDirectory,
} from '../../runtime/configuration/state-directory.ts';
import { NEEDLESS_VARIABLES, STANDALONE_DEFAULTS } from './standalone-variables.ts';

/** Does no I/O. Throws ConfigurationError with the problems of both halves. */
export function parseStandaloneConfig(
  environment: Environment,
  options: { readonly userId?: number } = {},
): { config: StandaloneConfig; warnings: readonly ConfigurationWarning[] } {
  const chosen = emitterTypes.some(({ variable }) => environment[variable] !== undefined);
  const complete = {
    ...defaults(environment),
    ...asVariables(stateDirectories(standaloneStateDirectory, environment, options.userId)),
    ...environment,
    ...(chosen ? {} : emitterBySource(environment)),
    ...Object.fromEntries(NEEDLESS_VARIABLES.map((name) => [name, undefined])),
  };
  const problems: ConfigurationProblem[] = [];
  const collector = parsed(() => parseCollectorConfig(complete, options), problems);
  const aggregator = parsed(() => parseAggregatorConfig(complete, options), problems);
  if (collector === undefined || aggregator === undefined)
    throw new ConfigurationError(chosen ? problems : withOrigins(problems));
  const warnings = [...collector.warnings, ...aggregator.warnings, ...needless(environment)];
  if (!chosen) warnings.push(...withoutDestination(collector.config.sources, environment));
  const { once } = collector.config;
  const own = once ? stateDirectories(onceStandaloneStateDirectory, environment, options.userId) : {};
  const halves = {
    collector: { ...collector.config, ...asStateDirectory(own.collector) },
    aggregator: { ...aggregator.config, ...asStateDirectory(own.aggregator) },
  };
  return {
    config: {
      ...halves,
      ...(once && {
        ordinaryStateDirectories: stateDirectories(standaloneStateDirectory, environment, options.userId),
      }),
      logLevel: halves.aggregator.logLevel,
      shutdownTimeoutMs: halves.collector.shutdownTimeoutMs + halves.aggregator.shutdownTimeoutMs,
    },
    warnings,
  };
}

/** The configuration of both halves. The socket between them is created at the start. */
export interface StandaloneConfig {
  readonly collector: CollectorConfig;
  readonly aggregator: AggregatorConfig;
  /**
   * For a one-shot run, and for halves without a configured directory: the directories of a permanent
   * standalone.
   */
  readonly ordinaryStateDirectories?: StateDirectories;
  readonly logLevel: LogLevel;
  /** The halves are stopped one after the other, each within its own timeout. */
  readonly shutdownTimeoutMs: number;
}

const TEXT = 'AGGREGATOR_TEXT_CONFIGURATION';
const DUCKDB = 'AGGREGATOR_DUCKDB_CONFIGURATION';
const LOGPLEX = 'AGGREGATOR_LOGPLEX_CONFIGURATION';

/**
 * Maps keys of the generated configuration to the variables that they were made from: a problem there is a
 * problem here.
 */
const ORIGINS: Readonly<Record<string, string>> = Object.assign(
  { [`${LOGPLEX}.url`]: 'LOGPLEX_URL' },
  ...sourceTypes.map(({ standaloneEmitter }) => standaloneEmitter?.origins),
);

/** The emitter of a configured source; or one destination for all records; or records are printed and stored. */
function emitterBySource(environment: Environment): Environment {
  for (const { standaloneEmitter } of sourceTypes) {
    const variables = standaloneEmitter?.variables(environment);
    if (variables !== undefined) return variables;
  }
  const { LOGPLEX_URL: url } = environment;
  return url ? { [LOGPLEX]: JSON.stringify({ url }) } : { [TEXT]: '1', [DUCKDB]: '1' };
}

/** The emitter of a source has no destination for records of the other sources. */
function withoutDestination(
  sources: readonly ConfiguredSource[],
  environment: Environment,
): readonly ConfigurationWarning[] {
  const served = sources.find(({ type }) => type.standaloneEmitter !== undefined)?.type;
  if (served === undefined) return [];
  const message =
    `is set in addition to ${served.enabledBy.join(', ')}, whose emitter has no destination for these records: ` +
    'they become dead letters. Configure an emitter for all records';
  const isSet = (name: string) => environment[name] !== undefined;
  return sources.flatMap(({ type }) =>
    type === served ? [] : type.enabledBy.filter(isSet).map((variable) => ({ variable, message })),
  );
}

/** A default must not hide a value that is set under another name. */
function defaults(environment: Environment): Environment {
  const { alias } = AGGREGATOR_VARIABLES.minimumPublishFrequencyMs;
  return environment[alias.name] === undefined ? STANDALONE_DEFAULTS : {};
}

const ROLES: readonly Role[] = ['collector', 'aggregator'];

type StateDirectories = Readonly<Partial<Record<Role, string>>>;

/** The directories of the halves for which none is configured. */
function stateDirectories(
  directoryOf: typeof standaloneStateDirectory,
  environment: Environment,
  userId: number | undefined,
): StateDirectories {
  return Object.fromEntries(
    ROLES.flatMap((role) => {
      const isConfigured = environment[stateVariable(role)] !== undefined;
      const directory = isConfigured ? undefined : directoryOf(role, environment, userId);
      return directory === undefined ? [] : [[role, directory]];
    }),
  );
}

function asVariables(directories: StateDirectories): Environment {
  return Object.fromEntries(ROLES.map((role) => [stateVariable(role), directories[role]]));
}

function asStateDirectory(stateDirectory: string | undefined): { readonly stateDirectory?: string } {
  return stateDirectory === undefined ? {} : { stateDirectory };
}

function stateVariable(role: Role): string {
  return `${role.toUpperCase()}_STATE_DIRECTORY`;
}

function needless(environment: Environment): ConfigurationWarning[] {
  return NEEDLESS_VARIABLES.filter((name) => environment[name] !== undefined).map((variable) => ({
    variable,
    message: 'has no effect here: both halves run in one process and use a socket of their own',
  }));
}

function parsed<Parsed>(parse: () => Parsed, problems: ConfigurationProblem[]): Parsed | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

/** Only for variables that the user has set; a problem of both halves is reported once. */
function withOrigins(problems: readonly ConfigurationProblem[]): readonly ConfigurationProblem[] {
  const first = new Map<string, ConfigurationProblem>();
  for (const { variable, message } of problems) {
    const origin = ORIGINS[variable] ?? variable;
    if (!first.has(origin)) first.set(origin, { variable: origin, message });
  }
  return [...first.values()];
}
