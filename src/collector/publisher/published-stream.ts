import type { Position } from '../../records/position.ts';
import type { SourceStream } from '../source.ts';
import { UnansweredWindow } from './unanswered-window.ts';

/** A stream that the publisher reads from, and its state on the current call. */
export class PublishedStream {
  readonly source: SourceStream;
  phase: StreamPhase = 'unopened';
  /** Position of the next read. */
  next: Position = 0;
  /** A wake-up arrived during a read: that read may have missed the new records. */
  woken = false;
  /** The last batch was small: the source delivers in small parts. */
  trickles = false;
  /** The stream was reopened because the aggregator has other bytes, and nothing was accepted since. */
  reopened = false;
  unanswered = new UnansweredWindow();
  /** Since the start of the process, repetitions included. */
  sentRecords = 0;

  /** Empty: unknown. */
  readonly sourceName: string;

  constructor(source: SourceStream, sourceName = '') {
    this.source = source;
    this.sourceName = sourceName;
  }

  /** Resets the state for a new call. */
  reset(): void {
    this.phase = 'unopened';
    this.unanswered = new UnansweredWindow();
    this.woken = false;
    this.trickles = false;
    this.reopened = false;
  }
}

/**
 * The state of a stream on the current call.
 *
 *     unopened -> opening -> open <-> idle -> ended -> (gone)
 *                    \          \
 *                     `-> refused `-> refused      (until the next call, or an hour later)
 */
export type StreamPhase = 'unopened' | 'opening' | 'open' | 'idle' | 'ended' | 'refused';
