import type { Check } from '../records/check.ts';
import type { Position } from '../records/position.ts';
import type { RunningChecksum } from '../records/running-checksum.ts';
import type { StreamId } from '../records/stream-id.ts';
import type { EntryNumber, Json } from './queue-contract.ts';
import type { StateStore, Table } from './state-store.ts';

/** The queue's rows in the state store. Written in small and large JSON objects; `segment-log.ts` holds the bytes. */
export interface QueueTables {
  /** By number. Without holes: from the oldest that is kept to the newest. */
  readonly entries: Table<EntryRow>;
  /** By stream id. */
  readonly streams: Table<StreamRow>;
  /** By the emitter's name. */
  readonly cursors: Table<CursorRow>;
  /** By emitter, stream, position. */
  readonly deadLetters: Table<DeadLetterRow>;
  /** By collector id. */
  readonly collectors: Table<CollectorRow>;
  /** One row, under `TOTALS`. */
  readonly totals: Table<TotalsRow>;
}

export const TOTALS = 'totals';

export type AmountRow = { readonly records: number; readonly bytes: number };

export type LocationRow = { readonly segment: number; readonly offset: number; readonly length: number };

export type EntryRow = LocationRow & {
  readonly stream: StreamId;
  readonly start: Position;
  readonly records: number;
  /** Uncompressed. */
  readonly bytes: number;
  /** What was accepted before this entry, ever. */
  readonly before: AmountRow;
  /** A 64-bit number as text. */
  readonly acceptedTimeUnixNano: string;
};

export type StreamRow = {
  /** Ascending, disjoint: start, end, start, end, ... */
  readonly ranges: readonly Position[];
  /** The check of the end of the last range, as the collector sent it. */
  readonly endCheck: Check | null;
  /** Of the bytes before the end of the last range. Rows of version 0.1.0 have none. */
  readonly checksum?: RunningChecksum | null;
  /** The collector's instance that wrote last, a 64-bit number as text. Rows of version 0.1.0 have none. */
  readonly instance?: string | null;
  /** null: the stream was taken before anybody had claimed it. */
  readonly owner: { readonly collectorId: string; readonly tlsSubject: string | null } | null;
  readonly records: number;
  readonly bytes: number;
  /** The stream is in the count of its collector. */
  readonly isCounted?: boolean;
  /** The newest entry that has bytes of the stream. */
  readonly lastEntry: EntryNumber;
  /** Day of the running time. */
  readonly seenDay: number;
  /** The collector's last word, and the day it came. */
  readonly final: { readonly end: Position; readonly day: number } | null;
};

/** How many streams of a collector the ledger has. Streams of version 0.1.0 are not counted. */
export type CollectorRow = { readonly streams: number };

export type CursorRow = {
  /** The next record to be emitted; `record` is below the entry's count. */
  readonly entry: EntryNumber;
  readonly record: number;
  /** Where that record begins in its entry's data. */
  readonly offset: number;
  readonly state?: Json;
  readonly discarded: AmountRow;
  /** Accepted and gone before this name began. */
  readonly before: AmountRow;
  /** `before` of the entry, once more: a cursor that points at another entry is found out. Absent in layout 1. */
  readonly acceptedBefore?: AmountRow;
};

export type DeadLetterRow = LocationRow &
  AmountRow & {
    readonly reason: string;
    readonly rejectedTimeUnixNano: string;
    readonly replaying: boolean;
  };

export type TotalsRow = {
  /** Everything accepted, ever: the sum of all ranges, those of forgotten streams included. */
  readonly accepted: AmountRow;
  /** What the forgotten streams had. */
  readonly forgotten: AmountRow;
  /** The number of the next entry. */
  readonly nextEntry: EntryNumber;
  /** How long the owners of this state have run, together. */
  readonly runningSeconds: number;
};

export const NO_TOTALS: TotalsRow = {
  accepted: { records: 0, bytes: 0 },
  forgotten: { records: 0, bytes: 0 },
  nextEntry: 1,
  runningSeconds: 0,
};

export function queueTables(store: StateStore): QueueTables {
  return {
    entries: store.table<EntryRow>('entry'),
    streams: store.table<StreamRow>('stream'),
    cursors: store.table<CursorRow>('cursor'),
    deadLetters: store.table<DeadLetterRow>('dead-letter'),
    collectors: store.table<CollectorRow>('collector'),
    totals: store.table<TotalsRow>('totals'),
  };
}

/** Streams whose first row version 0.1.0 wrote are not in the collector's count. */
export function isCounted(
  row: StreamRow,
): row is StreamRow & { readonly owner: NonNullable<StreamRow['owner']> } {
  return row.isCounted === true && row.owner !== null;
}

/** Only inside a change. */
export function changeTotals(tables: QueueTables, change: (totals: TotalsRow) => TotalsRow): TotalsRow {
  const totals = change(tables.totals.get(TOTALS) ?? NO_TOTALS);
  tables.totals.put(TOTALS, totals);
  return totals;
}
