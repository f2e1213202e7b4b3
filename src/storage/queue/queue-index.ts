import assert from 'node:assert/strict';
import type { Amount } from '../../records/amount.ts';
import { minus } from '../../records/amount.ts';
import type { SegmentLocation } from '../segments/segment-format.ts';
import type { EntryNumber } from './queue-contract.ts';
import { type EntryRow, NO_TOTALS, type QueueTables, TOTALS, type TotalsRow } from './queue-tables.ts';

/**
 * The queue's committed index: existing entries, their locations, and the amounts before each.
 *
 *     [ firstRow ... first ... next )
 *       trimmed, rows to  kept
 *       be removed
 */
export class QueueIndex {
  readonly #tables: QueueTables;
  #firstRow: EntryNumber;
  #first: EntryNumber;
  #next: EntryNumber;
  #accepted: Amount;
  #last: SegmentLocation | undefined;

  constructor(tables: QueueTables) {
    this.#tables = tables;
    const totals = tables.totals.get(TOTALS) ?? NO_TOTALS;
    const [oldest] = tables.entries.entries({ limit: 1 });
    const [newest] = tables.entries.entries({ limit: 1, reverse: true });
    this.#next = totals.nextEntry;
    this.#firstRow = oldest === undefined ? this.#next : Number(oldest.key);
    this.#first = this.#firstRow;
    this.#accepted = totals.accepted;
    this.#last = newest?.value;
  }

  /** The oldest remaining entry; `next` when there is none. */
  get first(): EntryNumber {
    return this.#first;
  }

  /** The number that the next entry will have. */
  get next(): EntryNumber {
    return this.#next;
  }

  /** The oldest entry that still has a row. */
  get firstRow(): EntryNumber {
    return this.#firstRow;
  }

  get accepted(): Amount {
    return this.#accepted;
  }

  /** Location of the newest entry; undefined when no entry has a row. */
  get lastLocation(): SegmentLocation | undefined {
    return this.#last;
  }

  row(entry: EntryNumber): EntryRow | undefined {
    return entry < this.#firstRow || entry >= this.#next ? undefined : this.#tables.entries.get(entry);
  }

  /** The amount accepted before this position since the beginning. */
  amountBefore({ entry, record, offset }: ExactPoint): Amount {
    if (entry >= this.#next) return this.#accepted;
    const before = this.row(entry)?.before ?? this.#accepted;
    return { records: before.records + record, bytes: before.bytes + offset };
  }

  /** The amount after this position. */
  amountFrom(point: ExactPoint): Amount {
    return minus(this.#accepted, this.amountBefore(point));
  }

  /** The first entry in `segment` or a later one; `next` when there is none. */
  firstEntryIn(segment: number): EntryNumber {
    let low = this.#firstRow;
    let high = this.#next;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.row(middle)?.segment ?? 0) >= segment) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Entries that have been committed. */
  added(totals: TotalsRow, last: SegmentLocation): void {
    this.#next = totals.nextEntry;
    this.#accepted = totals.accepted;
    this.#last = last;
  }

  /** Entries before `first` are removed; their rows will follow. */
  trimmed(first: EntryNumber): void {
    assert(first <= this.#next);
    this.#first = Math.max(this.#first, first);
  }

  /** The rows before `first` are removed. */
  removedRows(first: EntryNumber): void {
    this.#firstRow = Math.max(this.#firstRow, first);
    if (this.#firstRow >= this.#next) this.#last = undefined;
  }
}

/** The position of a cursor, in bytes. */
export interface ExactPoint {
  readonly entry: EntryNumber;
  readonly record: number;
  readonly offset: number;
}
