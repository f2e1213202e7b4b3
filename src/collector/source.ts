import type { Amount } from '../records/amount.ts';
import type { Check } from '../records/check.ts';
import type { ChecksumPair } from '../records/checksum-codec.ts';
import type { Position } from '../records/position.ts';
import type { RecordBatch } from '../records/record-batch.ts';
import type { RunningChecksum } from '../records/running-checksum.ts';
import type { StreamId } from '../records/stream-id.ts';
import type { LeftFile } from './one-shot-report.ts';
import type { StreamStatus } from './stream-status.ts';

/**
 * Sources are the input of a collector. A source finds streams and hands each to the publisher, which *pulls*
 * from it: no record is read before it can be sent, so the collector's memory does not grow with the backlog.
 * Files are their own buffer; sockets write to a journal first. This is the complete contract;
 * `test/contract/source-contract.ts` tests every source of the registry.
 *
 *     start(sink) -> sink.open(stream) -> sink.wake(stream) ... -> stop -> close
 *
 * - A stream's identity and, for sources with a journal, its records are on disk before `sink.open`.
 * - After a restart with the same state, a stream has the same id and the same bytes at the same positions.
 * - `stop` is never called while `start` is running. Both `stop` and `close` may be called before `start`, and
 *   twice.
 */
export interface Source {
  readonly name: string;
  /** Resolves after the first scan: each existing stream has been opened. */
  start(sink: StreamSink): Promise<void>;
  /** Stops the discovery and all reading from peers; open streams may be read until `close`. */
  stop(deadline: AbortSignal): Promise<void>;
  /** For --once: resolves when all data that existed at the start is accepted. */
  drained(): Promise<void>;
  status(): SourceStatus;
  /** Called after the publisher has stopped: stores the last acceptances and releases all handles. */
  close(deadline: AbortSignal): Promise<void>;
  /** The part of its files that was read in this run and is accepted, counting each record once. */
  accepted?(): Amount;
  /** For --once: files that should have been read, and were not, or not to their end. */
  left?(): readonly LeftFile[];
  /** Bytes that were gone before they could be read, in this run or before it. */
  lostBytes?(): number;
  /**
   * The streams of this file end, and a new one reads the file from its beginning. The old state is removed on disk
   * before. Returns the number of streams that ended. Absent: the source reads no files that can be forgotten.
   */
  forget?(path: string): Promise<number>;
  /**
   * Explains what the source does with a file, a listener (its address) or a sender (its IP address); undefined for a
   * subject of another source. The result is JSON. For an aggregator, the source does not look at files that it neither
   * reads nor would read by its configuration: the answer does not depend on whether they exist.
   */
  explain?(subject: string, asker?: ExplainAsker): Promise<object | undefined>;
}

/** For whom a source explains a file. The owner of the process may know about all files. */
export type ExplainAsker = 'owner' | 'aggregator';

export interface SourceStatus {
  readonly streams: readonly StreamStatus[];
  /** Why the last commit of its journal failed; absent when commits succeed. */
  readonly failure?: string | undefined;
  /** Bytes that were gone before they could be read, since the state was created. */
  readonly lostBytes?: number;
  /** Its sockets. */
  readonly listeners?: readonly ListenerStatus[];
}

export interface ListenerStatus {
  /** Its configured address. */
  readonly listener: string;
  readonly state: 'listening' | 'closed';
  /** Where it is listening. */
  readonly address?: string;
  /** Why it is closed. */
  readonly failure?: string;
  readonly connections?: number;
  /** Its senders, and the number of sockets of each. */
  readonly clients: readonly { readonly address: string; readonly sockets: number }[];
  /** Records that were received since the start, and their bytes; absent: not counted. */
  readonly records?: number;
  readonly bytes?: number;
  /** Messages that were lost since the start, by cause. */
  readonly dropped: { readonly noRoom: number; readonly kernel?: number; readonly thread?: number };
}

/** The publisher, as a source sees it. All calls return at once. */
export interface StreamSink {
  /** The publisher may read the stream from now on. Its identity is already flushed. */
  open(stream: SourceStream): void;
  /** There may be more to read. Cheap; may be called for streams without new data, or not open. */
  wake(stream: StreamId): void;
  /** The stream is not read any more: it was removed (its file is gone) or replaced by another. */
  close(stream: StreamId): void;
}

/** One stream, as the publisher sees it. Positions are read strictly ascending, except after `resume`. */
export interface SourceStream {
  readonly id: StreamId;
  /** The end of the contiguous accepted bytes, as last reported: the default position to start from. */
  readonly accepted: Position;
  /**
   * Called at the beginning of each call. If the bytes before the aggregator's `end` are the same,
   * `continue`s from its `contiguousEnd`. If they differ or are missing, this state was cloned or rolled
   * back: the source has `ended` this stream and opens another at its own checkpoint.
   */
  resume(known: KnownToAggregator): Promise<ResumeDecision>;
  /**
   * Reads complete records from `from` into `buffer`, as many as fit. The batch's `data` is a part of
   * `buffer`, which the caller may reuse once it has encoded the batch. `hasPeerColumn` false: the aggregator
   * cannot read the peer column, so a batch has records of one peer, with its attributes in the resource.
   */
  read(from: Position, buffer: Buffer, hasPeerColumn?: boolean): Promise<StreamRead>;
  /** All bytes before `end` are accepted. Ascending. The source flushes its checkpoint later. */
  accept(end: Position): void;
  /** The aggregator rejected the stream: it stops until the next call. Logged by the publisher. */
  refuse(reason: string): void;
}

/** The aggregator's response when a stream is opened on a call. */
export interface KnownToAggregator {
  /** The end of the stream's last range; 0 when the aggregator does not know the stream. */
  readonly end: Position;
  /** The check of `end`; undefined when there is none to compare. */
  readonly check: Check | undefined;
  /** The checksum of the stream's bytes up to `end`; undefined when the aggregator has none. */
  readonly checksum?: RunningChecksum | undefined;
  /**
   * The end of the bytes without a gap after the checkpoint. Less than `end` when a part of the stream went
   * to another aggregator; continuing at `end` would then skip that part.
   */
  readonly contiguousEnd: Position;
}

export type ResumeDecision =
  | { readonly kind: 'continue'; readonly from: Position }
  | { readonly kind: 'ended' };

export type StreamRead =
  /**
   * `endCheck`: the check of the batch's end. `checksums`: of the stream's bytes before and after the batch.
   */
  | {
      readonly kind: 'records';
      readonly batch: RecordBatch;
      readonly endCheck: Check;
      readonly checksums?: BatchChecksums | undefined;
    }
  /** Nothing now; the source will `wake`. */
  | { readonly kind: 'waiting' }
  /**
   * The stream has no bytes from `from` on and gets no more. The publisher reports it as final when all is
   * accepted.
   */
  | { readonly kind: 'ended' };

export type BatchChecksums = ChecksumPair;
