import type { Resource } from '../records/resource.ts';
import { type Address, type Endpoint, formatAddress, isLoopback } from '../runtime/configuration/address.ts';
import {
  type ConfigurationWarning,
  type Environment,
  parseVariables,
  throwProblems,
  type VariableTable,
  variableNames,
} from '../runtime/configuration/configuration.ts';
import type { LogLevel } from '../runtime/configuration/log-level.ts';
import {
  defaultStateDirectory,
  onceStateDirectory,
  stateDirectoryOf,
} from '../runtime/configuration/state-directory.ts';
import { tlsMaterialOf, tlsWarnings } from '../runtime/configuration/tls-variables.ts';
import { unknownVariables } from '../runtime/configuration/unknown-variables.ts';
import type { TlsMaterial } from '../runtime/tls.ts';
import { configuredSources } from './configured-sources.ts';
import type { CompressionSetting } from './publisher/compression-choice.ts';
import { sourceTypes } from './sources/registry.ts';
import type { ConfiguredSource } from './sources/source-type.ts';
import { COLLECTOR_VARIABLES } from './variables.ts';

/** The configuration of `createCollector`. */
export interface CollectorConfig {
  /** At least one. */
  readonly sources: readonly ConfiguredSource[];
  /** At least one. */
  readonly aggregatorAddresses: readonly Endpoint[];
  /** `listed`: in order of preference. Default: `spread`. */
  readonly aggregatorOrder?: 'spread' | 'listed';
  /** Absolute. */
  readonly stateDirectory: string;
  /** With `once` and no configured directory: that of a permanent collector, where 0.1.0 kept the state of both. */
  readonly ordinaryStateDirectory?: string;
  /** Attributes of each record, before the sources add theirs. */
  readonly resourceAttributes: Resource;
  readonly compression: CompressionSetting;
  /** undefined: plain text. */
  readonly tls: TlsMaterial | undefined;
  readonly httpAddress: Address;
  /** Answer the aggregator how this collector sees a file. Absent: yes. */
  readonly remoteExplain?: boolean;
  /** Read all existing data, wait until it is accepted, exit. */
  readonly once: boolean;
  /** A person waits for the run, so a missing aggregator is logged soon. */
  readonly isAttended: boolean;
  /** With `once`: maximum time without an aggregator; 0: no limit. */
  readonly aggregatorTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly logLevel: LogLevel;
}

/** All variables of the collector and its sources: for flags, --help, --check and the docs. */
export function collectorVariables(): VariableTable {
  return Object.assign({}, ...sourceTypes.map(({ variables }) => variables), COLLECTOR_VARIABLES);
}

/** No I/O. Throws ConfigurationError with all problems. `userId`: the user of the process. */
export function parseCollectorConfig(
  environment: Environment,
  { userId }: { readonly userId?: number } = {},
): { config: CollectorConfig; warnings: readonly ConfigurationWarning[] } {
  const { values, problems } = parseVariables(COLLECTOR_VARIABLES, environment);
  const configured = configuredSources(environment, values.once);
  problems.push(...configured.problems);
  const tls = tlsMaterialOf('COLLECTOR', values, problems);
  const once = values.once || configured.isOneShot;
  const own = once ? onceStateDirectory(environment, userId) : undefined;
  const ordinary =
    own !== undefined && values.stateDirectory === undefined
      ? defaultStateDirectory('collector', environment, userId)
      : undefined;
  const stateDirectory = stateDirectoryOf('collector', values.stateDirectory ?? own, environment, {
    userId,
    problems,
  });
  throwProblems(problems);
  const {
    aggregatorAddresses,
    aggregatorOrder,
    resourceAttributes,
    compression,
    httpAddress,
    remoteExplain,
  } = values;
  return {
    config: {
      sources: configured.sources,
      aggregatorAddresses,
      aggregatorOrder,
      stateDirectory,
      ...(ordinary !== undefined && { ordinaryStateDirectory: ordinary }),
      resourceAttributes,
      compression,
      tls,
      httpAddress,
      remoteExplain,
      once,
      isAttended: once || configured.isAttended,
      aggregatorTimeoutMs: values.aggregatorTimeoutMs,
      shutdownTimeoutMs: values.shutdownTimeoutMs,
      logLevel: values.logLevel,
    },
    warnings: [
      ...tlsWarnings('COLLECTOR', values),
      ...plainTextWarnings(tls, aggregatorAddresses),
      ...configured.warnings,
      ...unknownVariables('COLLECTOR_', variableNames(collectorVariables()), environment),
    ],
  };
}

function plainTextWarnings(
  tls: TlsMaterial | undefined,
  addresses: readonly Address[],
): readonly ConfigurationWarning[] {
  const remote = addresses.filter((address) => !isLoopback(address));
  if (tls !== undefined || remote.length === 0) return [];
  const names = remote.map(formatAddress).join(', ');
  return [
    {
      variable: 'COLLECTOR_AGGREGATOR_ADDRESS',
      message: `${names} is used without encryption: COLLECTOR_TLS is off`,
    },
  ];
}
