import type { LogEntry } from '../records/log-entry.ts';

export type PauseReason = 'button' | 'scroll' | 'selection' | 'record';

/** What the list shows: the newest records, or those at the moment of the pause. */
export interface TailView {
  readonly entries: readonly LogEntry[];
  readonly base: number;
  readonly pause: PauseReason | undefined;
}

export interface FeedNumbers {
  readonly base: number;
  readonly end: number;
}

/** `+137 new` */
export function newCount({ base, entries }: TailView, feed: FeedNumbers): number {
  return Math.max(0, feed.end - (base + entries.length));
}

/** New records that came during the pause and are no longer in memory: the search has them. */
export function missedCount({ base, entries, pause }: TailView, feed: FeedNumbers): number {
  return pause === undefined ? 0 : Math.max(0, feed.base - (base + entries.length));
}
