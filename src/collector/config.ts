import { resolve } from 'node:path';
import { formats } from '../formats/registry.ts';
import type { Resource } from '../records/resource.ts';
import { type Address, type Endpoint, formatAddress, isLoopback } from '../runtime/configuration/address.ts';
import {
  type ConfigurationWarning,
  type Environment,
  parseVariables,
  throwProblems,
  type Values,
  type VariableTable,
  variableNames,
} from '../runtime/configuration/configuration.ts';
import type { ConfigurationProblem } from '../runtime/configuration/configuration-error.ts';
import type { LogLevel } from '../runtime/configuration/log-level.ts';
import {
  defaultStateDirectory,
  onceStateDirectory,
  stateDirectoryOf,
} from '../runtime/configuration/state-directory.ts';
import { tlsMaterialOf, tlsWarnings } from '../runtime/configuration/tls-variables.ts';
import { nearestName, unknownVariables } from '../runtime/configuration/unknown-variables.ts';
import type { TlsMaterial } from '../runtime/tls.ts';
import { sourceFileEntry, sourceFileProblems, sourceFileWarnings } from './source-file.ts';
import type { PgLogfebeConfig } from './sources/pg-logfebe/open-pg-logfebe.ts';
import type { TailEntry } from './sources/tail/files/tail-configuration.ts';
import { COLLECTOR_VARIABLES } from './variables.ts';

/** The configuration of `createCollector`. */
export interface CollectorConfig {
  /** At least one, unless there is another source. */
  readonly tail: readonly TailEntry[];
  /**
   * The only file to read, absolute; it is part of `tail`. The run prints at its end how much of it was read.
   */
  readonly sourceFile: string | undefined;
  /** undefined: no PostgreSQL servers connect. */
  readonly pgLogfebe: PgLogfebeConfig | undefined;
  /** At least one; in order of preference. */
  readonly aggregatorAddresses: readonly Endpoint[];
  /** Absolute. */
  readonly stateDirectory: string;
  /** With `once` and no configured directory: that of a permanent collector, where 0.1.0 kept the state of both. */
  readonly ordinaryStateDirectory?: string;
  /** Attributes of each record, before the sources add theirs. */
  readonly resourceAttributes: Resource;
  readonly compression: 'lz4' | 'none';
  /** undefined: plain text. */
  readonly tls: TlsMaterial | undefined;
  readonly httpAddress: Address;
  /** Read all existing data, wait until it is accepted, exit. */
  readonly once: boolean;
  /** With `once`: maximum time without an aggregator; 0: no limit. */
  readonly aggregatorTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly logLevel: LogLevel;
}

type CollectorValues = Values<typeof COLLECTOR_VARIABLES>;

/** All variables of the collector: for flags, --help, --check and the docs. */
export function collectorVariables(): VariableTable {
  return COLLECTOR_VARIABLES;
}

/** No I/O. Throws ConfigurationError with all problems. `userId`: the user of the process. */
export function parseCollectorConfig(
  environment: Environment,
  { userId }: { readonly userId?: number } = {},
): { config: CollectorConfig; warnings: readonly ConfigurationWarning[] } {
  const { values, problems } = parseVariables(COLLECTOR_VARIABLES, environment);
  const sourceFile = values.sourceFile === undefined ? undefined : resolve(values.sourceFile);
  const tail = [
    ...(sourceFile === undefined ? [] : [sourceFileEntry(sourceFile, values.now)]),
    ...(values.tail ?? []),
    ...(values.tailConfiguration ?? []),
  ];
  const pgLogfebe = pgLogfebeOf(values);
  const told = problems.some(({ variable }) => SOURCES.some((source) => variable.startsWith(source)));
  if (tail.length === 0 && pgLogfebe === undefined && !told) problems.push(NOTHING_TO_COLLECT);
  problems.push(...sourceFileProblems(values), ...unknownFormats(tail));
  const tls = tlsMaterialOf('COLLECTOR', values, problems);
  const once = values.once || (sourceFile !== undefined && !values.watch);
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
  const { aggregatorAddresses, resourceAttributes, compression, httpAddress } = values;
  return {
    config: {
      tail,
      sourceFile,
      pgLogfebe,
      aggregatorAddresses,
      stateDirectory,
      ...(ordinary !== undefined && { ordinaryStateDirectory: ordinary }),
      resourceAttributes,
      compression,
      tls,
      httpAddress,
      once,
      aggregatorTimeoutMs: values.aggregatorTimeoutMs,
      shutdownTimeoutMs: values.shutdownTimeoutMs,
      logLevel: values.logLevel,
    },
    warnings: [
      ...tlsWarnings('COLLECTOR', values),
      ...plainTextWarnings(tls, aggregatorAddresses),
      ...sourceFileWarnings(values),
      ...unknownVariables('COLLECTOR_', variableNames(COLLECTOR_VARIABLES), environment),
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

/** Names of existing formats in other programs. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['nginx', 'combined'],
  ['apache', 'combined'],
  ['csvlog', 'postgres-csvlog'],
  ['jsonlog', 'postgres-jsonlog'],
]);

function unknownFormats(tail: readonly TailEntry[]): readonly ConfigurationProblem[] {
  const known = formats.map(({ name }) => name);
  const unknown = new Set(tail.map(({ format }) => format).filter((format) => !known.includes(format)));
  return [...unknown].map((format) => {
    const nearest = OTHER_NAMES.get(format.toLowerCase()) ?? nearestName(format, known);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    return {
      variable: 'COLLECTOR_TAIL_CONFIGURATION',
      message: `expected a format (${known.join(', ')}), found "${format}"${hint}`,
    };
  });
}

function pgLogfebeOf(values: CollectorValues): PgLogfebeConfig | undefined {
  const { serveDirectory, logplexUrl, pollIntervalMs, journalMaxBytes, recordLengthBytes, socketMode } =
    values;
  if (serveDirectory === undefined) return undefined;
  return {
    serveDirectory: resolve(serveDirectory),
    tokensAllowed: logplexUrl !== undefined,
    ...{ pollIntervalMs, journalMaxBytes, recordLengthBytes, socketMode },
  };
}

/** Any of these is sufficient. COLLECTOR_TAIL_CONFIGURATION begins like the first. */
const SOURCES = ['COLLECTOR_TAIL', 'COLLECTOR_SOURCE', 'SERVE_DB_DIR'];

const NOTHING_TO_COLLECT: ConfigurationProblem = {
  variable: 'COLLECTOR_TAIL',
  message: `expected at least one source, found none. For example:
  COLLECTOR_TAIL='${COLLECTOR_VARIABLES.tail.example}'
  COLLECTOR_SOURCE='${COLLECTOR_VARIABLES.sourceFile.example}'
  COLLECTOR_TAIL_CONFIGURATION='${COLLECTOR_VARIABLES.tailConfiguration.example}'
  SERVE_DB_DIR='${COLLECTOR_VARIABLES.serveDirectory.example}'`,
};
