import type { Amount } from '../../records/amount.ts';
import type { StateStore } from '../state/state-store.ts';
import { isBefore } from './cursor-order.ts';
import { CursorPassages } from './cursor-passages.ts';
import type { EntryNumber } from './queue-contract.ts';
import type { QueueIndex } from './queue-index.ts';
import type { CursorRow, QueueTables } from './queue-tables.ts';

/** The position of each emitter: the rows, and their committed values in memory. */
export class Cursors {
  readonly #store: StateStore;
  readonly #tables: QueueTables;
  readonly #index: QueueIndex;
  readonly #rows = new Map<string, CursorRow>();
  readonly #passages = new CursorPassages();

  constructor(store: StateStore, tables: QueueTables, index: QueueIndex) {
    this.#store = store;
    this.#tables = tables;
    this.#index = index;
    for (const { key, value } of tables.cursors.entries()) this.#rows.set(String(key), value);
  }

  get emitters(): readonly string[] {
    return [...this.#rows.keys()];
  }

  row(emitter: string): CursorRow | undefined {
    return this.#rows.get(emitter);
  }

  /** Resolves when the cursor of the emitter has passed all entries before `entry`. Rejects when the queue closes. */
  async passed(emitter: string, entry: EntryNumber): Promise<void> {
    const at = this.#rows.get(emitter)?.entry;
    if (at === undefined || at < entry) await this.#passages.wait(emitter, entry);
  }

  /** The emitter with the lowest cursor, and its row. */
  furthestBehind(): { readonly emitter: string; readonly row: CursorRow } | undefined {
    let lowest: { readonly emitter: string; readonly row: CursorRow } | undefined;
    for (const [emitter, row] of this.#rows) {
      if (lowest === undefined || isBefore(row, lowest.row)) lowest = { emitter, row };
    }
    return lowest;
  }

  /** Creates a cursor at this entry. Entries from there on are no longer trimmed. */
  async add(emitter: string, entry: EntryNumber, before: Amount): Promise<void> {
    const row: CursorRow = {
      entry,
      record: 0,
      offset: 0,
      discarded: { records: 0, bytes: 0 },
      before: { records: before.records, bytes: before.bytes },
      acceptedBefore: { records: before.records, bytes: before.bytes },
    };
    this.#rows.set(emitter, row);
    try {
      await this.#store.write(() => this.#tables.cursors.put(emitter, row));
    } catch (error) {
      this.#rows.delete(emitter);
      throw error;
    }
  }

  /** Changes rows, and runs `alongside`, in one transaction. Emitters without a cursor are ignored. */
  async change(
    emitters: readonly string[],
    change: (row: CursorRow, emitter: string) => CursorRow,
    alongside: () => void = () => undefined,
  ): Promise<void> {
    const changed = new Map<string, CursorRow>();
    await this.#store.write(() => {
      for (const emitter of emitters) {
        const row = this.#tables.cursors.get(emitter);
        if (row === undefined) continue;
        const next = this.#anchored(change(row, emitter));
        changed.set(emitter, next);
        this.#tables.cursors.put(emitter, next);
      }
      alongside();
    });
    for (const [emitter, row] of changed) {
      if (!this.#rows.has(emitter)) continue;
      this.#rows.set(emitter, row);
      this.#passages.reached(emitter, row.entry);
    }
  }

  async remove(emitter: string): Promise<void> {
    await this.#store.write(() => this.#tables.cursors.remove(emitter));
    this.#rows.delete(emitter);
  }

  close(): void {
    this.#passages.close();
  }

  /** Adds a value of the entry that the cursor points at. */
  #anchored(row: CursorRow): CursorRow {
    const { records, bytes } = this.#index.amountBefore({ entry: row.entry, record: 0, offset: 0 });
    return { ...row, acceptedBefore: { records, bytes } };
  }

  /** Queued records of an emitter. */
  queued(emitter: string, index: QueueIndex): Amount {
    const row = this.#rows.get(emitter);
    return row === undefined ? { records: 0, bytes: 0 } : index.amountFrom(row);
  }
}
