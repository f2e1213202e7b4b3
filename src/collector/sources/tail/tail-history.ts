import type { StateStore, Table } from '../../../storage/state/state-store.ts';

const LAST_SCAN = 'last-look-unix-ms';
const LOST_BYTES = 'lost-bytes';

/** The time is written down at most this often while the collector runs, and when it stops. */
const SAVE_EVERY_MS = 60_000;

/** What a run leaves to the next one besides checkpoints. */
export class TailHistory {
  readonly #store: StateStore;
  readonly #table: Table<number>;
  /** Of the runs before this one. */
  readonly #lostBefore: number;
  /** When a run before this one looked for files last, as far as that was written down. */
  readonly lastScanUnixMs: number | undefined;
  #savedUnixMs = 0;

  constructor(store: StateStore) {
    this.#store = store;
    this.#table = store.table('tail-history');
    this.lastScanUnixMs = this.#table.get(LAST_SCAN);
    this.#lostBefore = this.#table.get(LOST_BYTES) ?? 0;
  }

  /** The bytes that were lost with this state, when `lostBytes` were lost in this run. */
  lostBytes(lostBytes: number): number {
    return this.#lostBefore + lostBytes;
  }

  /** After a look; does nothing when it is called again too soon. */
  async scanned(nowUnixMs: number, lostBytes: number): Promise<void> {
    if (Math.abs(nowUnixMs - this.#savedUnixMs) >= SAVE_EVERY_MS) await this.save(nowUnixMs, lostBytes);
  }

  async save(nowUnixMs: number, lostBytes: number): Promise<void> {
    await this.#store.write(() => {
      this.#table.put(LAST_SCAN, nowUnixMs);
      this.#table.put(LOST_BYTES, this.lostBytes(lostBytes));
    });
    this.#savedUnixMs = nowUnixMs;
  }
}
