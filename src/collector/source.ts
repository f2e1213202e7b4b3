import type { Check } from '../records/check.ts';
import type { ChecksumPair } from '../records/checksum-codec.ts';
import type { Position } from '../records/position.ts';
import type { RecordBatch } from '../records/record-batch.ts';
import type { RunningChecksum } from '../records/running-checksum.ts';
import type { StreamId } from '../records/stream-id.ts';
import type { StreamStatus } from './stream-status.ts';

/**
 * Where records enter a collector. A source finds streams and hands each to the publisher, which *pulls* from it:
 * nothing is read before there is room for it on the way, so a collector's memory does not grow with what waits.
 * Files are their own buffer; sockets write a journal first and offer that.
 *
 *     start(sink) -> sink.open(stream) -> sink.wake(stream) ... -> stop
 */
export interface Source {
  readonly name: string;
  /** Resolves when the source has looked once: every stream that is there now has been opened. */
  start(sink: StreamSink): Promise<void>;
  /** Finds no more; open streams may be read until the publisher has stopped. */
  stop(deadline: AbortSignal): Promise<void>;
  /** For --once: resolves when all that was there at the start is accepted. */
  drained(): Promise<void>;
}

/** A source with what the collector tells of it, and closes last. */
export interface CollectorSource extends Source {
  status(): SourceStatus;
  /** After the publisher has stopped: keeps what was accepted meanwhile, releases every handle. Safe twice. */
  close(deadline: AbortSignal): Promise<void>;
}

export interface SourceStatus {
  readonly streams: readonly StreamStatus[];
  /** Why the last commit of its journal failed; absent when commits succeed. */
  readonly failure?: string | undefined;
}

/** The publisher, as a source sees it. All calls return at once. */
export interface StreamSink {
  /** From now on the publisher may read from the stream. Its identity is flushed already. */
  open(stream: SourceStream): void;
  /** There may be more to read. Cheap; may be called for streams with nothing new, or not open. */
  wake(stream: StreamId): void;
  /** The stream will not be read any more: given up (its file is gone), or replaced by another. */
  close(stream: StreamId): void;
}

/** One stream, as the publisher sees it. Positions are read strictly ascending, except after `resume`. */
export interface SourceStream {
  readonly id: StreamId;
  /** The end of the contiguous accepted bytes, as last reported: where to begin without better knowledge. */
  readonly accepted: Position;
  /**
   * At the beginning of each call. Same bytes here at the aggregator's `end`: `continue` from its `contiguousEnd`.
   * Other bytes, or too few: this state was cloned or rolled back; the source has `ended` this stream and opens
   * another at its own checkpoint.
   */
  resume(known: KnownToAggregator): Promise<ResumeDecision>;
  /**
   * Reads whole records from `from` into `buffer`, as many as fit. The batch's `data` lies in `buffer`, which is the
   * caller's again as soon as he has encoded it.
   */
  read(from: Position, buffer: Buffer): Promise<StreamRead>;
  /** Every byte before `end` is accepted. Ascending. The source flushes its checkpoint in its own time. */
  accept(end: Position): void;
  /** The aggregator refused: the stream stops here until the next call. Logged by the publisher. */
  refuse(reason: string): void;
}

/** What the aggregator answers when a stream is opened on a call. */
export interface KnownToAggregator {
  /** The end of the stream's last range; 0 when the aggregator knows nothing of it. */
  readonly end: Position;
  /** The check of `end`; undefined when there is none to compare. */
  readonly check: Check | undefined;
  /** The checksum of the stream's bytes up to `end`; undefined when the aggregator has none. */
  readonly checksum?: RunningChecksum | undefined;
  /**
   * How far it has the bytes without a gap, going up from the checkpoint. Less than `end` when a part of the stream
   * went to another aggregator; going on from `end` would then leave that part out.
   */
  readonly contiguousEnd: Position;
}

export type ResumeDecision =
  | { readonly kind: 'continue'; readonly from: Position }
  | { readonly kind: 'ended' };

export type StreamRead =
  /** `endCheck`: the check of the batch's end. `checksums`: of the stream's bytes before and after the batch. */
  | {
      readonly kind: 'records';
      readonly batch: RecordBatch;
      readonly endCheck: Check;
      readonly checksums?: BatchChecksums | undefined;
    }
  /** Nothing now; the source will `wake`. */
  | { readonly kind: 'waiting' }
  /** The stream's last byte lies before `from`: no more will come. The publisher says so (final) when all is accepted. */
  | { readonly kind: 'ended' };

export type BatchChecksums = ChecksumPair;
