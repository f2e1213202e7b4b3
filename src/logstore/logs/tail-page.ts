import type { LogEntry } from './log-requests.ts';

export interface TailPage {
  readonly entries: readonly LogEntry[];
  readonly place: TailPlace;
  /** The number of records that are left out because the page is full. */
  readonly skipped: number;
}

/** For each writer, the last known commit. */
export type TailPlace = ReadonlyMap<string, number>;
