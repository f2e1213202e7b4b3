import type { LogEntry } from '../records/log-entry.ts';

/** A part of a stream, by ascending position. */
export interface Neighbours {
  readonly entries: readonly LogEntry[];
  /** The number of the first entry; the first one that was ever loaded is 0. See RecordList. */
  readonly base: number;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

export const NO_NEIGHBOURS: Neighbours = { entries: [], base: 0, atStart: false, atEnd: false };

/** Then the entries at the other end are discarded; they are loaded again when one scrolls there. */
export const MAX_NEIGHBOURS = 4000;

export function withOlder(before: Neighbours, older: readonly LogEntry[], atStart: boolean): Neighbours {
  const all = [...older, ...before.entries];
  return {
    entries: all.slice(0, MAX_NEIGHBOURS),
    base: before.base - older.length,
    atStart,
    atEnd: before.atEnd && all.length <= MAX_NEIGHBOURS,
  };
}

export function withNewer(before: Neighbours, newer: readonly LogEntry[], atEnd: boolean): Neighbours {
  const all = [...before.entries, ...newer];
  const surplus = Math.max(0, all.length - MAX_NEIGHBOURS);
  return {
    entries: all.slice(surplus),
    base: before.base + surplus,
    atStart: before.atStart && surplus === 0,
    atEnd,
  };
}
