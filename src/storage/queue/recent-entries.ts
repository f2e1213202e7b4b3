import type { RecordBatch } from '../../records/record-batch.ts';
import type { EntryNumber } from './queue-contract.ts';

/** Bytes of recently appended records in memory, for emitters without a backlog. */
const RECENT_BYTES = 6 * 1024 * 1024;
/** Bytes of records that are not recent any more, and whose memory is wanted back. */
const BORROWED_BYTES = 16 * 1024 * 1024;

/**
 * The newest entries in memory. The memory of an entry's records is reported as unused when the entry has left, and each
 * borrower has returned it:
 *
 *     add --> recent -- full, or all emitters have passed --> borrowed --- returned by all borrowers --> unused
 *               \                                                 \------- too many -------------------> collected
 *                \-- read by a caller that is not a borrower -----------------------------------------> collected
 *
 * A borrower returns entries with its commit: then it has no use for their bytes.
 */
export class RecentEntries {
  readonly #onUnused: (bytes: Uint8Array) => void;
  /** Oldest first. */
  readonly #recent = new Map<EntryNumber, RecentEntry>();
  readonly #borrowed = new Map<EntryNumber, RecentEntry>();
  #recentBytes = 0;
  #borrowedBytes = 0;

  constructor(onUnused: (bytes: Uint8Array) => void) {
    this.#onUnused = onUnused;
  }

  /** `ownsBytes`: no other entry, and nothing outside of the queue, uses the memory of the records. */
  add(entry: EntryNumber, batch: RecordBatch, ownsBytes: boolean): void {
    this.#recent.set(entry, { batch, borrowers: new Set(), isKept: !ownsBytes });
    this.#recentBytes += batch.data.length;
    for (const oldest of this.#recent.keys()) {
      if (this.#recentBytes <= RECENT_BYTES) break;
      this.#leave(oldest);
    }
  }

  has(entry: EntryNumber): boolean {
    return this.#recent.has(entry);
  }

  /** Without a borrower, the caller may use the bytes without limit. */
  get(entry: EntryNumber, borrower?: Borrower): RecordBatch | undefined {
    const recent = this.#recent.get(entry);
    if (recent === undefined) return undefined;
    if (borrower === undefined) recent.isKept = true;
    else recent.borrowers.add(borrower);
    return recent.batch;
  }

  /** The borrower uses no entry before this one. */
  returned(borrower: Borrower, before: EntryNumber): void {
    for (const [entry, { borrowers }] of this.#recent) {
      if (entry >= before) break;
      borrowers.delete(borrower);
    }
    for (const [entry, borrowed] of this.#borrowed) {
      if (entry >= before) break;
      borrowed.borrowers.delete(borrower);
      if (borrowed.borrowers.size === 0) this.#unused(entry, borrowed);
    }
  }

  /** All emitters without a backlog have passed the entries before this one. */
  passed(before: EntryNumber): void {
    for (const entry of this.#recent.keys()) {
      if (entry >= before) break;
      this.#leave(entry);
    }
  }

  #leave(entry: EntryNumber): void {
    const recent = this.#recent.get(entry);
    if (recent === undefined) return;
    this.#recent.delete(entry);
    this.#recentBytes -= recent.batch.data.length;
    if (recent.isKept) return;
    if (recent.borrowers.size === 0) this.#onUnused(recent.batch.data);
    else this.#borrow(entry, recent);
  }

  #borrow(entry: EntryNumber, recent: RecentEntry): void {
    this.#borrowed.set(entry, recent);
    this.#borrowedBytes += recent.batch.data.length;
    for (const [oldest, { batch }] of this.#borrowed) {
      if (this.#borrowedBytes <= BORROWED_BYTES) break;
      this.#borrowed.delete(oldest);
      this.#borrowedBytes -= batch.data.length;
    }
  }

  #unused(entry: EntryNumber, { batch }: RecentEntry): void {
    this.#borrowed.delete(entry);
    this.#borrowedBytes -= batch.data.length;
    this.#onUnused(batch.data);
  }
}

/** A reader that returns what it has read. */
export type Borrower = object;

interface RecentEntry {
  readonly batch: RecordBatch;
  readonly borrowers: Set<Borrower>;
  /** Its memory is never reported as unused. */
  isKept: boolean;
}
