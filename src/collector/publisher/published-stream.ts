import type { Position } from '../../records/position.ts';
import type { SourceStream } from '../source.ts';
import { UnansweredWindow } from './unanswered-window.ts';

/**
 * Where a stream stands on the present call.
 *
 *     unopened -> opening -> open <-> idle -> ended -> (gone)
 *                    \          \
 *                     `-> refused `-> refused      (until the next call, or an hour later)
 */
export type StreamPhase = 'unopened' | 'opening' | 'open' | 'idle' | 'ended' | 'refused';

/** A stream that the publisher reads from, and what it knows of it on this call. */
export class PublishedStream {
  readonly source: SourceStream;
  phase: StreamPhase = 'unopened';
  /** Where to read on. */
  next: Position = 0;
  /** A wake-up came while a read was under way: what it told of may have been missed. */
  woken = false;
  /** The last batch was small: the source delivers little by little. */
  trickles = false;
  /** It was opened again because the aggregator has other bytes, and nothing was accepted since. */
  reopened = false;
  unanswered = new UnansweredWindow();

  constructor(source: SourceStream) {
    this.source = source;
  }

  /** A new call knows nothing of the one before. */
  reset(): void {
    this.phase = 'unopened';
    this.unanswered = new UnansweredWindow();
    this.woken = false;
    this.trickles = false;
    this.reopened = false;
  }
}
