import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Batch } from '../records/batch.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Json } from '../storage/queue-contract.ts';
import type { SqlDatabase, SqlDialectName } from '../store/sql/sql-database.ts';
import type { Delivered, Outcome, Rejected, Retry } from './outcome.ts';

/**
 * Writes batches to one destination. This is the whole contract; `test/contract/emitter-contract.ts` runs over every
 * emitter of the registry.
 *
 *     start -> ( emit* flush )* -> stop
 *
 * - One call at a time: delivery never calls `emit` or `flush` before the one before has settled.
 * - Order is delivery's: batches come in the order of the queue, and again after a failure.
 * - `emit` may hold what it is given until `flush`. What `flush` answers `delivered` is at the destination, as durable
 *   as the destination makes it. Delivery commits the cursor, together with the state that `flush` returned, in one
 *   transaction, at the latest every 8 MiB or 100 ms (or what the type says).
 * - A crash between `flush` and that commit hands the same records out again after the restart. An emitter is
 *   exactly-once when it can tell: by the state it gave to be committed (`file`), or by keeping stream ranges with the
 *   data (stores).
 * - When `emit` answers retry or rejected, that batch has left no trace; with `undone`, neither has anything since the
 *   last flush. When `flush` answers retry or rejected, nothing since the last delivered flush has: delivery goes
 *   back to its committed cursor.
 * - `emit` and `flush` never throw; a throw is a programmer error and is treated as `retry`.
 */
export interface Emitter {
  /** Stores only: what they keep can be asked for. May be used from `start` to `stop`. */
  readonly database?: SqlDatabase;
  /** Resolves when the destination may be written to. Throws only on configuration that cannot work. */
  start(): Promise<void>;
  emit(batch: Batch, signal: AbortSignal): Promise<Outcome>;
  flush(signal: AbortSignal): Promise<FlushOutcome>;
  /**
   * The state that the last delivered flush returned is committed, and the cursor with it. Delivery calls this after
   * each commit. What an emitter kept in case of a crash before the commit can go now (`file`: it may rotate again).
   */
  committed?(): Promise<void>;
  /** Reopens output files (SIGHUP). */
  reopen?(): Promise<void>;
  /** Releases every handle. Safe unstarted and twice. What was not flushed is lost to the emitter, not to the queue. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** `state`: what the emitter wants to find again at its next start, if it wants anything; JSON. */
export type FlushOutcome = (Delivered & { readonly state?: EmitterState }) | Retry | Rejected;

export type EmitterState = Json;

/** What an emitter is given to live with. */
export interface EmitterContext {
  /** `"name"` in its configuration; owns cursor and state. */
  readonly name: string;
  /** What the last committed flush returned; undefined at the first start of this name. */
  readonly state: EmitterState | undefined;
  /** The aggregator's; an emitter that keeps something there has a folder of its own, `<type>/<name>`. Absolute. */
  readonly stateDirectory: string;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
}

/** What a type is given to create an emitter with: besides the emitter's own, what the process has to give. */
export interface EmitterEnvironment extends EmitterContext {
  /** Where `text` writes. Must not block the loop when nobody reads: see `text/standard-output.ts`. */
  readonly stdout: NodeJS.WritableStream;
}

/** What every emitter's configuration may hold besides its own. */
export interface EmitterSettings {
  /** Default: the type. */
  readonly name: string;
  /** Where a new name begins: at the oldest queued entry, or with what is accepted from now on. */
  readonly start: 'oldest' | 'now';
}

/** An entry of the registry: everything that `pipeline.ts`, `--help` and the docs need to know of a kind of emitter. */
export interface EmitterType<Configuration = unknown> {
  /** `text`, `file`, ...; the folder's name. */
  readonly type: string;
  /** `AGGREGATOR_TEXT_CONFIGURATION`, ... */
  readonly variable: string;
  readonly description: string;
  /** For --help and the docs: a value that can be pasted. */
  readonly example: string;
  readonly guarantee: 'exactly-once' | 'at-least-once';
  /** It parses much or blocks: whoever creates one puts it in a thread of its own (`worker/`). */
  readonly inThread?: true;
  /** Who asks a store wants the present: how long a batch waits for more, where AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY is not set. */
  readonly publishFrequencyMs?: number;
  /**
   * Its thread is only asked to end, never ended: what it has in native code would come back to nobody, and take the whole
   * process along. So it must answer `stop` in time, and leave nothing behind that keeps a thread alive.
   */
  readonly endsByItself?: true;
  /** How much is flushed and committed at once, at the most, while more is queued. Default: 8 MiB or 100 ms. */
  readonly groupLimits?: GroupLimits;
  /** Stores only, for their emitters have a `database`: what that speaks, known before it is there. */
  readonly dialect?: SqlDialectName;
  /** What there is when nobody has configured an emitter. Its variable takes `1`: all defaults. */
  readonly isDefault?: true;
  /** For the docs: the keys of its configuration, without `name` and `start`. */
  readonly options?: readonly EmitterOption[];
  /**
   * No I/O. One variable may configure several emitters (a JSON list). Throws ConfigurationError with all problems.
   * None: the value says "off" (`AGGREGATOR_TEXT_CONFIGURATION=0`); whoever asked warns.
   */
  parse(value: string): readonly ConfiguredEmitter<Configuration>[];
  /** A promise where much has to be loaded first, which whoever uses other types should not pay for. */
  create(configuration: Configuration, environment: EmitterEnvironment): Emitter | Promise<Emitter>;
}

/** When what was emitted is flushed, at the latest, though more is queued. */
export interface GroupLimits {
  readonly bytes: number;
  readonly ms: number;
}

/** A key of an emitter's configuration, as the docs show it (Markdown). */
export interface EmitterOption {
  readonly key: string;
  /** What is accepted. */
  readonly format: string;
  /** As one would write it; absent: required, or nothing. */
  readonly default?: string;
  readonly description: string;
}

export interface ConfiguredEmitter<Configuration = unknown> extends EmitterSettings {
  readonly configuration: Configuration;
}
