import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resource } from '../../records/resource.ts';
import type { Clock } from '../../runtime/clock.ts';
import type {
  ConfigurationWarning,
  Environment,
  Values,
  VariableTable,
} from '../../runtime/configuration/configuration.ts';
import type { ConfigurationProblem } from '../../runtime/configuration/configuration-error.ts';
import type { InheritedSockets } from '../../runtime/inherited-sockets.ts';
import type { StateStore } from '../../storage/state/state-store.ts';
import type { Source, SourceStatus } from '../source.ts';

/**
 * An entry of the registry: describes a source for the configuration, `pipeline.ts`, `--help` and the docs.
 *
 *     parse -> open -> Source
 *
 * `test/contract/source-contract.ts` tests every source of the registry.
 */
export interface SourceType<Configuration = unknown, Table extends VariableTable = VariableTable> {
  /** The name of its folder, of its journal, and of the label `source` of metrics. */
  readonly name: string;
  /** Also flags of the commands `collector` and `standalone`, and rows of docs/configuration.md. */
  readonly variables: Table;
  /** The source is configured when one of these variables is set. Shown when no source is configured. */
  readonly enabledBy: readonly string[];
  /** The emitter of a `standalone` without a configured emitter. Absent: records are printed and stored. */
  readonly standaloneEmitter?: StandaloneEmitter;
  /** Does no I/O. Called also when the source is not configured. */
  parse(values: Values<Table>, context: ParseContext): ParsedSource<Configuration>;
  /** Called when all sources are parsed: files that two sources would read. Does no I/O. */
  conflicts?(
    configuration: Configuration,
    sources: readonly ConfiguredSource[],
  ): readonly ConfigurationProblem[];
  /**
   * Opens its state; does not listen or read before `start`. Loads its modules on demand, because the
   * registry is part of `--help`.
   */
  open(configuration: Configuration, environment: SourceEnvironment): Promise<Source>;
  /**
   * Called when a collector starts without this source: the status of records that only the state directory
   * has, and that are not sent.
   */
  leftovers(store: StateStore): Promise<SourceStatus>;
  /** For commands while no collector is running. Absent: `leftovers` is the whole status. */
  openOffline?(environment: OfflineEnvironment): Promise<OfflineSource>;
  /**
   * Removes the state of the streams of this file while no collector is running, so that the next start reads it
   * as a new file. Returns the number of streams.
   */
  forget?(store: StateStore, path: string): Promise<number>;
  /** Directories that must be readable and writable, for --check --connect. */
  directories?(configuration: Configuration): readonly SourceDirectory[];
}

export interface ParseContext {
  /** COLLECTOR_ONCE is set. */
  readonly once: boolean;
  /** The set variables that configure other sources. */
  readonly otherSources: readonly string[];
}

export interface ParsedSource<Configuration = unknown> {
  /** undefined: the source is not configured. */
  readonly configuration: Configuration | undefined;
  readonly problems?: readonly ConfigurationProblem[];
  readonly warnings?: readonly ConfigurationWarning[];
  /** The run ends by itself, as with COLLECTOR_ONCE. */
  readonly isOneShot?: boolean;
  /** A person waits for the run, so a missing aggregator is logged soon. */
  readonly isAttended?: boolean;
}

/** The dependencies of a source. */
export interface SourceEnvironment extends OfflineEnvironment {
  /** Absolute path of the collector's state directory. */
  readonly stateDirectory: string;
  /** Attributes of each record, before the source adds its own. */
  readonly resource: Resource;
  readonly metrics: Registry;
  /** Sockets that systemd has opened for this process. */
  readonly inheritedSockets?: InheritedSockets | undefined;
  /** Read all existing data, and no more. */
  readonly once: boolean;
}

export interface OfflineEnvironment {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A source that does not send records. */
export interface OfflineSource extends Pick<Source, 'status' | 'explain'> {
  close(): Promise<void>;
}

export interface SourceDirectory {
  /** `the serve database`, for a sentence. */
  readonly what: string;
  readonly path: string;
}

/** Has no destination for records of other sources. */
export interface StandaloneEmitter {
  /** The aggregator's variables that configure it; undefined when the source is not configured. */
  variables(environment: Environment): Environment | undefined;
  /** The user's variable for each place in these values: a problem is reported for that one. */
  readonly origins: Readonly<Record<string, string>>;
}

/** A source of a collector's configuration. */
export interface ConfiguredSource<Configuration = unknown> {
  readonly type: SourceType<Configuration>;
  readonly configuration: Configuration;
}
