import type { Check } from '../records/check.ts';
import type { ChecksumPair } from '../records/checksum-codec.ts';
import type { Position, Range } from '../records/position.ts';
import type { RecordBatch } from '../records/record-batch.ts';
import type { RunningChecksum } from '../records/running-checksum.ts';
import type { StreamId } from '../records/stream-id.ts';

/**
 * The queue as its two sides see it: intake appends, each emitter's delivery follows its own cursor.
 *
 *     intake --append--> [ entry 1 | entry 2 | entry 3 | ... ] --follow--> delivery of `file`   (cursor at 2, record 17)
 *                                                              \-follow--> delivery of `text`   (cursor at 3, record 0)
 *
 * What is not flushed does not exist: no cursor sees an entry before the transaction that holds its index and its
 * stream's ranges is on disk.
 */

/** Entries are numbered 1, 2, 3 ... in the order of arrival, never reused. */
export type EntryNumber = number;

/** The next record to be emitted. `record` may equal the entry's count: the same as (entry + 1, 0). */
export interface CursorPoint {
  readonly entry: EntryNumber;
  readonly record: number;
}

/** A batch that came in, with the bytes that it came as: those are what the queue writes. */
export interface IncomingBatch {
  readonly batch: RecordBatch;
  /** The RecordBatch message as received (`src/records/wire.ts` reads it back). */
  readonly encoded: Uint8Array;
  readonly endCheck: Check;
  /** Absent from a collector of version 0.1.0. They agree with the records. */
  readonly checksums?: ChecksumPair | undefined;
  readonly writer?: StreamWriter | undefined;
}

/** The collector process that a batch is from, and what it was told of the stream. */
export interface StreamWriter {
  readonly owner: StreamOwner;
  /** Random for each start of the collector. */
  readonly instance: bigint;
  /** The end of the stream as the collector compared it with its own bytes when it opened the stream. */
  readonly openedEnd: Position;
}

/** Who speaks for a stream: the collector that opened it first and, with TLS, its certificate's subject. */
export interface StreamOwner {
  readonly collectorId: string;
  readonly tlsSubject: string | undefined;
}

export interface QueueWriter {
  /**
   * Takes responsibility for a batch. Resolves when every byte of it lies in flushed ranges: what was new is in a
   * segment (fdatasync) and in one committed transaction with its range; of what was there before nothing is written
   * again. Rejects with a `QueueError` when it could not; then nothing of it was kept.
   */
  append(incoming: IncomingBatch): Promise<void>;
  /** undefined: may append. Else why not (`queue is full`, `disk is nearly full`, ...). */
  readonly stopped: string | undefined;
  /** Called at each change of `stopped`; returns the way out. */
  onStopped(listener: (reason: string | undefined) => void): () => void;
}

/** What the ledger answers when a stream is opened on a call. */
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
  /** Claims the stream for its owner (in memory; written with its first range) and tells where it ends. */
  open(stream: StreamId, owner: StreamOwner): StreamOpening;
  /**
   * The collector's last word: nothing follows `end`. Flushed in the background; losing it costs nothing. False: the
   * stream belongs to another collector, and nothing changes.
   */
  finish(stream: StreamId, end: Position, owner: StreamOwner): boolean;
  ranges(stream: StreamId): readonly Range[];
}

export interface QueueEntry {
  readonly number: EntryNumber;
  readonly batch: RecordBatch;
  /** When intake accepted it; dates the batch timer after a restart. */
  readonly acceptedTimeUnixNano: bigint;
}

/** The queue as one emitter follows it. */
export interface QueueCursor {
  readonly emitter: string;
  /** Where the last commit put it. Moves by `commit`, and under `drop-oldest` when this emitter loses entries. */
  readonly committed: CursorPoint;
  /** What the last commit kept for the emitter. */
  readonly state: Json | undefined;
  /**
   * The first entry at or behind `entry`: a later one when entries were dropped in between. undefined: nothing is
   * there yet.
   */
  read(entry: EntryNumber): Promise<QueueEntry | undefined>;
  /** Resolves when an entry numbered `entry` or higher is there; rejects when the signal aborts. */
  waitFor(entry: EntryNumber, signal: AbortSignal): Promise<void>;
  /** Everything in one transaction. Resolves when flushed; rejects (QueueError) with nothing changed. */
  commit(change: CursorCommit): Promise<void>;
}

export interface CursorCommit {
  readonly point: CursorPoint;
  /** The emitter's own state; undefined leaves it as it is. */
  readonly state?: Json;
  /** Rejected pieces between the old point and the new. */
  readonly deadLetters?: readonly NewDeadLetter[];
  /** Records given up (`AGGREGATOR_AFTER_RETRIES=discard`) between the old point and the new. */
  readonly discarded?: Amount;
  /** Dead letters that this emitter has taken after all. */
  readonly replayed?: readonly DeadLetterId[];
}

export interface Amount {
  readonly records: number;
  readonly bytes: number;
}

/** Sorts by (emitter, stream, position). `<emitter>/<stream>/<position>`. */
export type DeadLetterId = string;

export interface NewDeadLetter {
  /**
   * A slice of a record batch: its stream and start are the key. One that is there under this key is replaced, its
   * request for a replay included: that is how a replay that was rejected again is put back.
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
  /** A replay was asked for; the emitter's delivery will take it up. */
  readonly replaying: boolean;
}

export interface DeadLetters {
  list(emitter?: string): DeadLetterSummary[];
  read(id: DeadLetterId): Promise<RecordBatch | undefined>;
  /** Durable: survives a restart until delivered. Returns how many there were. */
  requestReplay(ids: readonly DeadLetterId[]): Promise<number>;
  /** Counted as discarded. Returns how many there were. */
  discard(ids: readonly DeadLetterId[]): Promise<number>;
  /** Those of one emitter for which a replay was asked, in order. */
  replaying(emitter: string): DeadLetterSummary[];
  onReplayRequested(listener: () => void): () => void;
  /** True when a further dead letter of this size would pass the byte limit: the emitter holds instead. */
  full(bytes: number): boolean;
}

/** One emitter's part of the balance: accepted = before + delivered + queued + deadLettered + discarded. */
export interface EmitterBalance {
  readonly emitter: string;
  /** Accepted and gone before this name began. */
  readonly before: Amount;
  readonly queued: Amount;
  readonly deadLettered: Amount;
  readonly discarded: Amount;
  /** The rest. */
  readonly delivered: Amount;
}

/** Derived, not counted. */
export interface QueueBalance {
  readonly accepted: Amount;
  readonly emitters: readonly EmitterBalance[];
  /** Bytes on disk in segments. */
  readonly diskBytes: number;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The queue could not do it; `message` is for a person. Nothing was changed. */
export class QueueError extends Error {
  override readonly name: string = 'QueueError';
}

/** This batch is not accepted, however often it is sent; others may be. */
export class BatchRefusedError extends QueueError {
  override readonly name: string = 'BatchRefusedError';
}

/** The stream has other bytes at the positions of the batch. The collector must compare its bytes again. */
export class OtherBytesError extends BatchRefusedError {
  override readonly name = 'OtherBytesError';
}
