import type { Check } from '../../records/check.ts';
import type { Json } from '../../records/json.ts';
import type { Position } from '../../records/position.ts';
import type { RunningChecksum } from '../../records/running-checksum.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { StateStore, Table } from '../state/state-store.ts';
import type { EntryNumber } from './queue-contract.ts';

/**
 * The queue's rows in the state store, as small and large JSON objects; `segment-log.ts` stores the bytes.
 */
export interface QueueTables {
  /** By number. Without gaps: from the oldest remaining entry to the newest. */
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
  /** The amount accepted before this entry since the beginning. */
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
  /** null: the stream was stored before a collector had claimed it. */
  readonly owner: { readonly collectorId: string; readonly tlsSubject: string | null } | null;
  readonly records: number;
  readonly bytes: number;
  /** The stream is counted for its collector. */
  readonly isCounted?: boolean;
  /** The newest entry with bytes of the stream. */
  readonly lastEntry: EntryNumber;
  /** Day of the running time. */
  readonly seenDay: number;
  /** The end that the collector reported, and the day of the report. */
  readonly final: { readonly end: Position; readonly day: number } | null;
};

/** The number of streams of a collector in the ledger. Streams of version 0.1.0 are not counted. */
export type CollectorRow = { readonly streams: number };

export type CursorRow = {
  /** The next record to be emitted; `record` is below the entry's count. */
  readonly entry: EntryNumber;
  readonly record: number;
  /** Offset of that record in its entry's data. */
  readonly offset: number;
  readonly state?: Json;
  readonly discarded: AmountRow;
  /** Dropped by the filter. Absent in rows of earlier versions, and until the first one. */
  readonly filtered?: AmountRow;
  /** Accepted and removed before this name began. */
  readonly before: AmountRow;
  /** A copy of the entry's `before`: reveals a cursor that points at another entry. Absent in layout 1. */
  readonly acceptedBefore?: AmountRow;
};

export type DeadLetterRow = LocationRow &
  AmountRow & {
    readonly reason: string;
    readonly rejectedTimeUnixNano: string;
    readonly replaying: boolean;
  };

export type TotalsRow = {
  /** All accepted amounts: the sum of all ranges, including those of removed streams. */
  readonly accepted: AmountRow;
  /** The amounts of removed streams. */
  readonly forgotten: AmountRow;
  /** The number of the next entry. */
  readonly nextEntry: EntryNumber;
  /** The total running time of this state's owners. */
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
