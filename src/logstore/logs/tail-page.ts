import type { LogEntry } from './log-requests.ts';

/** For each writer, the last of its commits that was seen. */
export type TailPlace = ReadonlyMap<string, number>;

export interface TailPage {
  readonly entries: readonly LogEntry[];
  readonly place: TailPlace;
  /** More was stored than a page holds: so many records are left out. */
  readonly skipped: number;
}
