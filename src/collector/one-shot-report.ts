import type { Amount } from '../records/amount.ts';
import { NOTHING } from '../records/amount.ts';

/** How far a run is that ends by itself, and what it leaves. */
export interface OneShotReport {
  /** Read in this run and accepted: each record once. */
  readonly accepted: Amount;
  /** Bytes that the files had at the start and that are not accepted. */
  readonly remainingBytes: number;
  /** Files with such bytes, and files that were not begun. */
  readonly left: readonly LeftFile[];
  /** Bytes that were gone before they could be read. */
  readonly lostBytes: number;
  /** Records that the aggregator has not delivered, as last reported; undefined: no report. */
  readonly undeliveredRecords: number | undefined;
}

/** Before the start. */
export const NOTHING_READ: OneShotReport = {
  accepted: NOTHING,
  remainingBytes: 0,
  left: [],
  lostBytes: 0,
  undeliveredRecords: undefined,
};

export interface LeftFile {
  readonly path: string;
  /** undefined: the file was not begun. */
  readonly bytes?: number;
  readonly reason: LeftReason;
  /** Why the aggregator rejected it. */
  readonly refusal?: string;
}

/**
 * `unreadable`: the system does not permit it. `unnameable`: its name is not UTF-8. `undecided`: so short that it may
 * become compressed data. `refused`: the aggregator rejected it. `unread`: the run ended before. `incomplete`: it was
 * still being uploaded.
 */
export type LeftReason = 'unreadable' | 'unnameable' | 'undecided' | 'refused' | 'unread' | 'incomplete';
