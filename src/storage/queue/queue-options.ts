import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Amount } from '../../records/amount.ts';
import type { Position } from '../../records/position.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { FileSystem } from '../state/file-system.ts';
import type { FreeSpaceOptions } from '../state/free-space.ts';
import type { openStateStore } from '../state/state-store.ts';
import type { KnownEmitter } from './emitter-cursors.ts';
import type {
  DeadLetters,
  EntryNumber,
  Ledger,
  QueueBalance,
  QueueCursor,
  QueueWriter,
} from './queue-contract.ts';
import type { Fullness } from './queue-space.ts';

export interface QueueOptions {
  /** The aggregator's state directory. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly maxBytes: number;
  readonly whenFull: 'stop' | 'drop-oldest';
  readonly deadLetterMaxBytes: number;
  /** Default: 64 MiB, or a sixteenth of `maxBytes` when that is less, but not below 1 MiB. */
  readonly segmentBytes?: number;
  /** The disk's reserve; see `free-space.ts`. */
  readonly freeSpace?: Pick<FreeSpaceOptions, 'reserveBytes' | 'reserveFraction'>;
  readonly fileSystem?: FileSystem;
  /** The step in which the file of the queue's state grows; see `state-store.ts`. */
  readonly stateStepBytes?: number;
  /** Maximum number of streams of one collector in the ledger. Default: 100,000. */
  readonly streamsPerCollector?: number;
  /** Bytes of the next group from which it is written during the transaction of the previous one. Default: 2 MiB. */
  readonly overlapFromBytes?: number;
  /**
   * Receives the memory of received records that nothing uses any more. It may be called before `append` of their batch
   * resolves, so the memory must not change in the same turn of the event loop.
   */
  readonly onUnused?: (bytes: Uint8Array) => void;
  /** For tests that fail commits. */
  readonly openStore?: typeof openStateStore;
}

export interface QueueFullness extends Fullness {
  /** The emitter with this backlog; undefined when no emitter is known. */
  readonly furthestBehind: { readonly emitter: string; readonly queued: Amount } | undefined;
}

export interface Queue extends QueueWriter {
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetters;
  /**
   * The emitter's cursor at its last position; a new name begins at the oldest entry, or after the newest.
   * `returnsRecords`: after a commit, the caller uses no bytes of the entries before its point, or before its
   * `unusedBefore`; `onUnused` receives them.
   */
  openCursor(emitter: string, start: 'oldest' | 'now', returnsRecords?: boolean): Promise<QueueCursor>;
  /**
   * Resolves when the emitter has delivered, or disposed of, all entries that exist now: its cursor is on disk after
   * them. Rejects with a QueueError when the queue closes before.
   */
  whenDelivered(emitter: string): Promise<void>;
  /** The number of the next entry. */
  readonly nextEntry: EntryNumber;
  /** Every name that has a cursor. */
  knownEmitters(): readonly KnownEmitter[];
  /** Removes cursor, state and dead letters of a name that is not open. False: there was none. */
  forgetEmitter(emitter: string): Promise<boolean>;
  /**
   * Skips the entry at this emitter's cursor if it is damaged. Returns the lost amount; undefined: the entry
   * is sound.
   */
  skipCorruptEntry(emitter: string): Promise<Amount | undefined>;
  /** The newest entries that together have this number of records, the newest first. Damaged ones are left out. */
  recentEntries(records: number): Promise<readonly RecordBatch[]>;
  /** The record at a position of a stream, if its entry is still there: a batch with one record. */
  findRecord(stream: StreamId, position: Position): Promise<RecordBatch | undefined>;
  balance(): QueueBalance;
  fullness(): QueueFullness;
  /** Why the last commit of records, a cursor or other state failed; undefined when commits succeed. */
  readonly failing: string | undefined;
  /** Completes running operations; waiting appends are rejected. Safe to call twice. */
  close(): Promise<void>;
}
