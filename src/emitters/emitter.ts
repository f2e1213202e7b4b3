import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { z } from 'zod';
import type { SqlDatabase, SqlDialectName } from '../logstore/sql/sql-database.ts';
import type { Batch } from '../records/batch.ts';
import type { Json } from '../records/json.ts';
import type { Resource } from '../records/resource.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ConnectionTrial } from '../runtime/connection-trial.ts';
import type { FilterErrorReport, FilterSource } from './filtering/filter-source.ts';
import type { Delivered, Outcome, Rejected, Retry } from './outcome.ts';

/**
 * Writes batches to one destination. This is the complete contract; `test/contract/emitter-contract.ts` tests
 * every emitter of the registry.
 *
 *     start -> ( emit* flush )* -> stop
 *
 * - One call at a time: delivery calls `emit` and `flush` only after the previous call has settled.
 * - Batches arrive in the order of the queue, and again after a failure.
 * - `emit` may buffer records until `flush`. When `flush` returns `delivered`, they are at the destination,
 *   as durable as the destination makes them. Delivery commits the cursor and the state that `flush` returned
 *   in one transaction, at the latest every 8 MiB or 100 ms (or the limits of the type).
 * - After a crash between `flush` and that commit, the same records are emitted again. An exactly-once
 *   emitter detects them: by its committed state (`file`), or by stream ranges stored with the data (stores).
 * - If `emit` returns retry or rejected, nothing of that batch remains at the destination; with `rolledBack`,
 *   nothing since the last flush remains. If `flush` returns retry or rejected, nothing since the last
 *   delivered flush remains: delivery rewinds to its committed cursor.
 * - `emit` and `flush` never throw; a throw is a programmer error and is treated as `retry`.
 */
export interface Emitter {
  /** Stores only: queries the stored records. Usable from `start` to `stop`. */
  readonly database?: SqlDatabase;
  /** Resolves when `emit` may be called. Throws only for an invalid configuration. */
  start(): Promise<void>;
  emit(batch: Batch, signal: AbortSignal): Promise<Outcome>;
  flush(signal: AbortSignal): Promise<FlushOutcome>;
  /**
   * Delivery calls this after each commit of the cursor and the state of the last delivered flush. The
   * emitter can discard data that it kept for a crash before the commit (`file`: it can rotate again).
   */
  committed?(): Promise<void>;
  /** Reopens output files (SIGHUP). */
  reopen?(): Promise<void>;
  /**
   * Filters the next batches with another program; undefined: with none. Delivery calls it between two flush
   * groups, when everything that was emitted is committed. Emitter types do not implement it: see
   * `decorators/filtered-emitter.ts`.
   */
  useFilter?(filter: FilterSource | undefined): Promise<void>;
  /** Releases every handle. May be called before start, and twice. Unflushed records remain in the queue. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** `state`: JSON that the emitter receives at its next start. */
export type FlushOutcome = (Delivered & { readonly state?: EmitterState }) | Retry | Rejected;

export type EmitterState = Json;

/** The dependencies of an emitter. */
export interface EmitterContext {
  /** `"name"` in its configuration; the key of cursor and state. */
  readonly name: string;
  /** The state of the last committed flush; undefined at the first start of this name. */
  readonly state: EmitterState | undefined;
  /**
   * Absolute path of the aggregator's state directory. An emitter stores its files there in `<type>/<name>`.
   */
  readonly stateDirectory: string;
  /**
   * The number of the next entry of the queue, when the emitter was created: what an earlier process emitted has lower
   * numbers. Absent without a queue, and in the thread of an emitter.
   */
  readonly nextEntry?: number | undefined;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
  /** The filter of the emitter; undefined: none. */
  readonly filter?: FilterSource | undefined;
  /** Receives the errors of the filter after a flush, if there are new ones. */
  readonly onFilterErrors?: ((report: FilterErrorReport) => void) | undefined;
}

/** The arguments for creating an emitter: its context and resources of the process. */
export interface EmitterEnvironment extends EmitterContext {
  /** The output of `text`. Must not block the event loop without a reader: see `text/standard-output.ts`. */
  readonly stdout: NodeJS.WritableStream;
}

/** The settings that every emitter has. */
export interface EmitterSettings {
  /** Default: the type. */
  readonly name: string;
  /** Where an emitter with a new name starts: at the oldest queued entry, or with newly accepted ones. */
  readonly start: 'oldest' | 'now';
  /** The name of its filter; undefined: `default`, if there is one. */
  readonly filter?: string | undefined;
}

/** The variable that configures the emitters of a type. */
export interface ConfigurationFormat<Shape extends z.core.$ZodShape = z.core.$ZodShape> {
  /** `text`, `file`, ...; the name of its folder. */
  readonly type: string;
  /** `AGGREGATOR_TEXT_CONFIGURATION`, ... */
  readonly variable: string;
  /** A valid value, for --help, the docs, and the message of a syntax error. */
  readonly example: string;
  /** The keys without `name`, `start` and `filter`, described for --help and the docs: see `schemaOptions`. */
  readonly shape: Shape;
}

/** An entry of the registry: describes an emitter type for `pipeline.ts`, `--help` and the docs. */
export interface EmitterType<Configuration = unknown> extends ConfigurationFormat {
  readonly description: string;
  readonly guarantee: 'exactly-once' | 'at-least-once';
  /** The emitter parses a lot or blocks, so it runs in its own thread (`worker/`). */
  readonly inThread?: true;
  /**
   * How long a batch waits for more records if AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY is not set. Short for
   * stores.
   */
  readonly publishFrequencyMs?: number;
  /**
   * Its thread is never terminated, only requested to end: native calls in progress would return into a dead
   * thread and crash the process. So the emitter must complete `stop` in time and leave nothing that keeps
   * the thread alive.
   */
  readonly mustNotTerminate?: true;
  /**
   * After the commit of its flush, the emitter uses no bytes of the records in it, not even in an operation that was
   * started. Their memory is used again for other records.
   */
  readonly returnsRecords?: true;
  /** Limits of one flush and commit while more is queued. Default: 8 MiB or 100 ms. */
  readonly groupLimits?: GroupLimits;
  /** Stores only: the SQL dialect of their `database`, known before the emitter starts. */
  readonly dialect?: SqlDialectName;
  /** The emitter used if none is configured. Its variable accepts `1` for all defaults. */
  readonly isDefault?: true;
  /**
   * The files it writes for records with this resource, absolute; absent if it writes none. Does no I/O. A
   * process that also reads files compares them with its patterns.
   */
  outputs?(configuration: Configuration, context: OutputContext): readonly EmitterOutput[];
  /**
   * Tries the destination without sending records or creating anything, for --check --connect; absent if there
   * is nothing to try. Never rejects.
   */
  tryConnections?(
    configuration: Configuration,
    context: ConnectionContext,
  ): Promise<readonly ConnectionTrial[]>;
  /**
   * Does no I/O. One variable can configure several emitters (a JSON list). Throws ConfigurationError with
   * all problems. Returns an empty list for a value such as `AGGREGATOR_TEXT_CONFIGURATION=0`; the caller
   * logs a warning.
   */
  parse(value: string): readonly ConfiguredEmitter<Configuration>[];
  /** Returns a promise if large modules are loaded on demand. */
  create(configuration: Configuration, environment: EmitterEnvironment): Emitter | Promise<Emitter>;
}

export type OutputContext = Pick<EmitterContext, 'name' | 'stateDirectory'> & { readonly resource: Resource };

export type ConnectionContext = Pick<EmitterContext, 'name' | 'stateDirectory' | 'clock'> & {
  readonly signal: AbortSignal;
};

/** Standard output may be redirected to a file. */
export type EmitterOutput = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'stdout' };

/** The limits at which emitted records are flushed while more is queued. */
export interface GroupLimits {
  readonly bytes: number;
  readonly ms: number;
}

export interface ConfiguredEmitter<Configuration = unknown> extends EmitterSettings {
  readonly configuration: Configuration;
}
