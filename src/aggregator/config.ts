import { duplicateNames } from '../emitters/configuration.ts';
import type { ConfiguredEmitter, EmitterType } from '../emitters/emitter.ts';
import { emitterTypes } from '../emitters/registry.ts';
import { type Address, type Endpoint, formatAddress, isLoopback } from '../runtime/configuration/address.ts';
import {
  type ConfigurationWarning,
  type Environment,
  parseVariables,
  throwProblems,
  type Variable,
  type VariableTable,
  variableNames,
} from '../runtime/configuration/configuration.ts';
import type { ConfigurationProblem } from '../runtime/configuration/configuration-error.ts';
import type { LogLevel } from '../runtime/configuration/log-level.ts';
import { schemaOptions } from '../runtime/configuration/schema-options.ts';
import { stateDirectoryOf } from '../runtime/configuration/state-directory.ts';
import { tlsMaterialOf, tlsWarnings } from '../runtime/configuration/tls-variables.ts';
import { unknownVariables } from '../runtime/configuration/unknown-variables.ts';
import type { TlsMaterial } from '../runtime/tls.ts';
import type { RabbitmqIntakeConfiguration } from './intake/rabbitmq/configuration.ts';
import type { KubernetesConfiguration } from './kubernetes/kubernetes-configuration.ts';
import type { NotifyConfiguration } from './notify-configuration.ts';
import { AGGREGATOR_VARIABLES, DEFAULT_PUBLISH_FREQUENCY_MS } from './variables.ts';

/** The configuration of `createAggregator`. */
export interface AggregatorConfig {
  readonly listenAddress: Endpoint;
  readonly httpAddress: Address;
  /** False: a run that ends by itself serves no HTTP. */
  readonly servesHttp?: boolean;
  /** Secret. undefined: the query API accepts only clients on this machine. */
  readonly httpToken: string | undefined;
  /** False: the HTTP address has no page. Default: true. */
  readonly servesPage?: boolean;
  /** Absolute. */
  readonly stateDirectory: string;
  /** Records in a batch. */
  readonly maxBatchSize: number;
  /** undefined: not set; see `publishFrequencyMs`. */
  readonly minimumPublishFrequencyMs: number | undefined;
  /** Queues of RabbitMQ with record batches. Absent: none. */
  readonly rabbitmqIntakes?: readonly RabbitmqIntakeConfiguration[] | undefined;
  readonly maxConnections: number;
  readonly maxStreams: number;
  readonly queueMaxBytes: number;
  readonly whenFull: 'stop' | 'drop-oldest';
  readonly retryCount: number;
  readonly retryDelayMs: number;
  readonly afterRetries: 'hold' | 'dead-letter' | 'discard';
  /** The emitter whose delivery is waited for before a collector is answered. undefined: the answers wait for no emitter. */
  readonly acknowledge?: { readonly emitter: string } | undefined;
  /** undefined: there are no filters. */
  readonly filterDirectory?: string | undefined;
  /** The path of the MaxMind database for filters. */
  readonly filterGeoip?: string | undefined;
  /** undefined: a failure is only logged. */
  readonly notify: NotifyConfiguration | undefined;
  /** undefined: there is no table of pods. */
  readonly kubernetes?: KubernetesConfiguration | undefined;
  /** At least one; names are unique. */
  readonly emitters: readonly AggregatorEmitter[];
  /** undefined: plain text. */
  readonly tls: TlsMaterial | undefined;
  readonly shutdownTimeoutMs: number;
  readonly logLevel: LogLevel;
}

/** One configured emitter: `type.create(configuration, context)` makes it. */
export interface AggregatorEmitter extends ConfiguredEmitter {
  readonly type: EmitterType;
}

/** How long a batch for this emitter waits for more records. */
export function publishFrequencyMs(config: AggregatorConfig, { name, type }: AggregatorEmitter): number {
  const { minimumPublishFrequencyMs, acknowledge } = config;
  // Collectors wait for it, with at most 8 MiB without an answer.
  const typical = acknowledge?.emitter === name ? ACKNOWLEDGING_FREQUENCY_MS : type.publishFrequencyMs;
  return minimumPublishFrequencyMs ?? typical ?? DEFAULT_PUBLISH_FREQUENCY_MS;
}

const ACKNOWLEDGING_FREQUENCY_MS = 100;

export interface AggregatorConfigOptions {
  /** Default: the registry. */
  readonly emitterTypes?: readonly EmitterType[];
  /** Default: the user of the process. */
  readonly userId?: number;
}

/**
 * Every variable of the aggregator, those of the emitters included: for flags, --help, --check and the docs.
 */
export function aggregatorVariables(types: readonly EmitterType[] = emitterTypes): VariableTable {
  return { ...AGGREGATOR_VARIABLES, ...emitterVariables(types) };
}

/** No I/O. Throws ConfigurationError with all problems. */
export function parseAggregatorConfig(
  environment: Environment,
  { emitterTypes: types = emitterTypes, userId }: AggregatorConfigOptions = {},
): { config: AggregatorConfig; warnings: readonly ConfigurationWarning[] } {
  const { values, problems } = parseVariables(AGGREGATOR_VARIABLES, environment);
  const { emitters, warnings } = emittersOf(types, environment, problems);
  problems.push(...acknowledgeProblems(values.acknowledge, emitters));
  const tls = tlsMaterialOf('AGGREGATOR', values, problems);
  const stateDirectory = stateDirectoryOf('aggregator', values.stateDirectory, environment, {
    userId,
    problems,
  });
  throwProblems(problems);
  const config: AggregatorConfig = {
    listenAddress: values.listenAddress,
    httpAddress: values.httpAddress,
    httpToken: values.httpToken,
    servesPage: values.ui,
    stateDirectory,
    maxBatchSize: values.maxBatchSize,
    minimumPublishFrequencyMs: values.minimumPublishFrequencyMs,
    rabbitmqIntakes: values.rabbitmqIntakes,
    maxConnections: values.maxConnections,
    maxStreams: values.maxStreams,
    queueMaxBytes: values.queueMaxBytes,
    whenFull: values.whenFull,
    retryCount: values.retryCount,
    retryDelayMs: values.retryDelayMs,
    afterRetries: values.afterRetries,
    acknowledge: values.acknowledge,
    filterDirectory: values.filterDirectory,
    filterGeoip: values.filterGeoip,
    notify: values.notify,
    kubernetes: values.kubernetes,
    emitters,
    tls,
    shutdownTimeoutMs: values.shutdownTimeoutMs,
    logLevel: values.logLevel,
  };
  return {
    config,
    warnings: [
      ...warnings,
      ...warningsOf(config),
      ...tlsWarnings('AGGREGATOR', values),
      ...unknownVariables('AGGREGATOR_', variableNames(aggregatorVariables(types)), environment),
    ],
  };
}

function acknowledgeProblems(
  acknowledge: AggregatorConfig['acknowledge'],
  emitters: readonly AggregatorEmitter[],
): readonly ConfigurationProblem[] {
  if (acknowledge === undefined || emitters.length === 0) return [];
  const names = emitters.map(({ name }) => name);
  if (names.includes(acknowledge.emitter)) return [];
  const message = `no emitter has the name "${acknowledge.emitter}". Configured emitters: ${names.join(', ')}`;
  return [{ variable: AGGREGATOR_VARIABLES.acknowledge.name, message }];
}

/** Their values may contain passwords: never shown, and each has a `_FILE` form. */
function emitterVariables(types: readonly EmitterType[]) {
  return Object.fromEntries(
    types.map((type) => {
      const variable: Variable<readonly AggregatorEmitter[]> = {
        name: type.variable,
        flag: `--${type.variable
          .replace(/^AGGREGATOR_/, '')
          .toLowerCase()
          .replaceAll('_', '-')}`,
        description: `${type.description} Guarantee: ${type.guarantee}.`,
        format: 'JSON object or list of objects',
        keys: schemaOptions(type.shape),
        example: type.example,
        secret: true,
        parse: (text) => type.parse(text).map((configured) => ({ ...configured, type })),
      };
      return [type.variable, variable];
    }),
  );
}

function emittersOf(
  types: readonly EmitterType[],
  environment: Environment,
  problems: ConfigurationProblem[],
): { emitters: readonly AggregatorEmitter[]; warnings: readonly ConfigurationWarning[] } {
  const before = problems.length;
  const { values, problems: emitterProblems } = parseVariables(emitterVariables(types), environment);
  problems.push(...emitterProblems);
  const configured = Object.values(values).flatMap((each) => each ?? []);
  const emitters = configured.length > 0 ? configured : defaultEmitters(types, values);
  if (emitters.length === 0 && problems.length === before) problems.push(noEmitter(types));
  problems.push(...duplicateNames(emitters.map(({ name, type }) => ({ variable: type.variable, name }))));
  const off = Object.entries(values).filter(([, each]) => each?.length === 0);
  return {
    emitters,
    warnings: off.map(([variable]) => ({ variable, message: 'is set, but its value means off' })),
  };
}

/** The embedded store, unless it was switched off. */
function defaultEmitters(
  types: readonly EmitterType[],
  values: Readonly<Record<string, readonly AggregatorEmitter[] | undefined>>,
): readonly AggregatorEmitter[] {
  const type = types.find(({ isDefault }) => isDefault);
  if (type === undefined || values[type.variable] !== undefined) return [];
  return type.parse('1').map((configured) => ({ ...configured, type }));
}

function noEmitter(types: readonly EmitterType[]): ConfigurationProblem {
  const choices = types.map(
    ({ variable, example, description }) => `\n  ${variable}='${example}'  ${description}`,
  );
  return {
    variable: 'AGGREGATOR_*_CONFIGURATION',
    message: `expected at least one emitter, found none. Choose from:${choices.join('')}`,
  };
}

function warningsOf(config: AggregatorConfig): readonly ConfigurationWarning[] {
  const { notify, tls, listenAddress } = config;
  const warnings = (notify?.unknownKeys ?? []).map((key) => ({
    variable: `AGGREGATOR_NOTIFY_CONFIGURATION.${key}`,
    message: 'is not known and has no effect',
  }));
  if (tls === undefined && !isLoopback(listenAddress)) {
    const address = formatAddress(listenAddress);
    warnings.push({
      variable: 'AGGREGATOR_LISTEN_ADDRESS',
      message: `${address} can be reached from other machines, and without TLS any client there can send records and read the traffic`,
    });
  }
  if (config.kubernetes !== undefined && config.filterDirectory === undefined) {
    warnings.push({
      variable: AGGREGATOR_VARIABLES.kubernetes.name,
      message: 'has no effect without AGGREGATOR_FILTER_DIRECTORY: only filters read the table of pods',
    });
  }
  return [...warnings, ...acknowledgeWarnings(config)];
}

function acknowledgeWarnings({ acknowledge, whenFull, afterRetries }: AggregatorConfig) {
  if (acknowledge === undefined) return [];
  const variable = AGGREGATOR_VARIABLES.acknowledge.name;
  const warnings: ConfigurationWarning[] = [];
  if (whenFull === 'drop-oldest')
    warnings.push({
      variable,
      message: 'dropped records are acknowledged, too (AGGREGATOR_WHEN_FULL=drop-oldest)',
    });
  if (afterRetries !== 'hold')
    warnings.push({
      variable,
      message: `a batch that is not delivered after all retries is acknowledged, too (AGGREGATOR_AFTER_RETRIES=${afterRetries})`,
    });
  return warnings;
}
