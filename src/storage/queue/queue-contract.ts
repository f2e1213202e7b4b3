import type { Amount } from '../../records/amount.ts';
import type { Check } from '../../records/check.ts';
import type { ChecksumPair } from '../../records/checksum-codec.ts';
import type { Json } from '../../records/json.ts';
import type { Position, Range } from '../../records/position.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { RunningChecksum } from '../../records/running-checksum.ts';
import type { StreamId } from '../../records/stream-id.ts';

/**
 * The interface of the queue: the intake appends, and each emitter's delivery follows its own cursor.
 *
 *     intake --append--> [ entry 1 | entry 2 | entry 3 | ... ] --follow--> delivery of `file`   (cursor at 2, record 17)
 *                                                              \-follow--> delivery of `text`   (cursor at 3, record 0)
 *
 * Records exist only after they are flushed: a cursor sees an entry only after the transaction with its index
 * and its stream's ranges is on disk.
 */

/** Entries are numbered 1, 2, 3 ... in the order of arrival, never reused. */
export type EntryNumber = number;

/** The next record to be emitted. `record` may equal the entry's count: the same as (entry + 1, 0). */
export interface CursorPoint {
  readonly entry: EntryNumber;
  readonly record: number;
}

/** A received batch with its bytes, which the queue writes. */
export interface IncomingBatch {
  readonly batch: RecordBatch;
  /** The RecordBatch message as received (`src/records/wire.ts` reads it back). */
  readonly encoded: Uint8Array;
  readonly endCheck: Check;
  /** Absent for a collector of version 0.1.0. They match the records. */
  readonly checksums?: ChecksumPair | undefined;
  readonly writer?: StreamWriter | undefined;
  /**
   * Other aggregators receive parts of the stream too (the consumers of one broker queue), so its ranges have gaps. When it
   * has many, its oldest ranges are forgotten: a later repetition of these bytes is only found by a store.
   */
  readonly isShared?: true;
}

/** The collector process that sent a batch, and the state of the stream that it knows. */
export interface StreamWriter {
  readonly owner: StreamOwner;
  /** Random for each start of the collector. */
  readonly instance: bigint;
  /** The end of the stream up to which the collector compared its bytes when it opened the stream. */
  readonly openedEnd: Position;
}

/** The owner of a stream: the collector that opened it first and, with TLS, its certificate's subject. */
export interface StreamOwner {
  readonly collectorId: string;
  readonly tlsSubject: string | undefined;
}

export interface QueueWriter {
  /**
   * Accepts a batch. Resolves when all its bytes are in flushed ranges: new bytes are in a segment
   * (fdatasync) and in one committed transaction with their range; existing bytes are not written again.
   * Rejects with a `QueueError` on a failure; then none of its bytes are stored.
   */
  append(incoming: IncomingBatch): Promise<void>;
  /** undefined: may append. Otherwise the reason (`queue is full`, `disk is nearly full`, ...). */
  readonly stopped: string | undefined;
  /** Called at each change of `stopped`; returns a function to unsubscribe. */
  onStopped(listener: (reason: string | undefined) => void): () => void;
}

/** The ledger's response when a stream is opened on a call. */
export type StreamOpening =
  | {
      readonly kind: 'known';
      readonly end: Position;
      readonly check: Check | undefined;
      /** Of the bytes before `end`; undefined when the row has none. */
      readonly checksum?: RunningChecksum | undefined;
      /** The instance that wrote last; undefined when the row does not have it. */
      readonly instance?: bigint | undefined;
    }
  | { readonly kind: 'refused'; readonly reason: string };

export interface Ledger {
  /** Claims the stream for its owner (in memory; written with its first range) and returns its end. */
  open(stream: StreamId, owner: StreamOwner): StreamOpening;
  /**
   * The collector's report that nothing follows `end`. Flushed in the background; losing it has no effect.
   * False: the stream belongs to another collector, and nothing changes.
   */
  finish(stream: StreamId, end: Position, owner: StreamOwner): boolean;
  ranges(stream: StreamId): readonly Range[];
}

export interface QueueEntry {
  readonly number: EntryNumber;
  readonly batch: RecordBatch;
  /** When it arrived to be stored, with the oldest batch of its group. The batch timer of an emitter begins there. */
  readonly acceptedTimeUnixNano: bigint;
}

/** One emitter's view of the queue. */
export interface QueueCursor {
  readonly emitter: string;
  /**
   * Position of the last commit. Moves by `commit`, and under `drop-oldest` when this emitter loses entries.
   */
  readonly committed: CursorPoint;
  /** The state that the last commit stored for the emitter. */
  readonly state: Json | undefined;
  /**
   * The first entry at or after `entry`: a later one when entries in between were dropped. undefined: there
   * is none yet.
   */
  read(entry: EntryNumber): Promise<QueueEntry | undefined>;
  /** Resolves when an entry with the number `entry` or higher exists; rejects when the signal aborts. */
  waitFor(entry: EntryNumber, signal: AbortSignal): Promise<void>;
  /**
   * Commits all changes in one transaction. Resolves when flushed; rejects (QueueError) with nothing changed.
   */
  commit(change: CursorCommit): Promise<void>;
}

export interface CursorCommit {
  readonly point: CursorPoint;
  /**
   * The caller uses no entry before this one. Default: the entry of `point`. After `drop-oldest`, the caller may still emit
   * entries before `point`.
   */
  readonly unusedBefore?: EntryNumber;
  /** The emitter's own state; undefined leaves it unchanged. */
  readonly state?: Json;
  /** Rejected pieces between the old position and the new one. */
  readonly deadLetters?: readonly NewDeadLetter[];
  /** Discarded records (`AGGREGATOR_AFTER_RETRIES=discard`) between the old position and the new one. */
  readonly discarded?: Amount;
  /** Records that a filter dropped: between the old position and the new one, or of replayed dead letters. */
  readonly filtered?: Amount;
  /** Dead letters that this emitter has delivered in a replay. */
  readonly replayed?: readonly DeadLetterId[];
}

/** Sorts by (emitter, stream, position). `<emitter>/<stream>/<position>`. */
export type DeadLetterId = string;

export interface NewDeadLetter {
  /**
   * A slice of a record batch: its stream and start are the key. It replaces an existing one with this key
   * and its replay request: this is how a replay that was rejected again is stored.
   */
  readonly records: RecordBatch;
  readonly reason: string;
}

export interface DeadLetterSummary extends Amount {
  readonly id: DeadLetterId;
  readonly emitter: string;
  readonly stream: StreamId;
  readonly position: Position;
  readonly reason: string;
  readonly rejectedTimeUnixNano: bigint;
  /** A replay was requested; the emitter's delivery will process it. */
  readonly replaying: boolean;
}

export interface DeadLetters {
  list(emitter?: string): DeadLetterSummary[];
  read(id: DeadLetterId): Promise<RecordBatch | undefined>;
  /** Durable until delivered. Returns the number of dead letters. */
  requestReplay(ids: readonly DeadLetterId[]): Promise<number>;
  /** Counts them as discarded. Returns their number. */
  discard(ids: readonly DeadLetterId[]): Promise<number>;
  /** The dead letters of one emitter with a requested replay, in order. */
  replaying(emitter: string): DeadLetterSummary[];
  onReplayRequested(listener: () => void): () => void;
  /** True when another dead letter of this size would exceed the byte limit: the emitter holds instead. */
  full(bytes: number): boolean;
}

/** One emitter's part of the balance: accepted = before + delivered + filtered + queued + deadLettered + discarded. */
export interface EmitterBalance {
  readonly emitter: string;
  /** Accepted and removed before this name began. */
  readonly before: Amount;
  readonly queued: Amount;
  readonly deadLettered: Amount;
  readonly discarded: Amount;
  /** Dropped by the filter of the emitter. */
  readonly filtered: Amount;
  /** The remainder. */
  readonly delivered: Amount;
}

/** Derived, not counted. */
export interface QueueBalance {
  readonly accepted: Amount;
  readonly emitters: readonly EmitterBalance[];
  /** Bytes on disk in segments. */
  readonly diskBytes: number;
}

/** The operation failed; `message` is for people. Nothing was changed. */
export class QueueError extends Error {
  override readonly name: string = 'QueueError';
}

/** This batch is never accepted; others may be. */
export class BatchRefusedError extends QueueError {
  override readonly name: string = 'BatchRefusedError';
}

/** The stream has other bytes at the positions of the batch. The collector must compare its bytes again. */
export class OtherBytesError extends BatchRefusedError {
  override readonly name = 'OtherBytesError';
}
