import type { StateStore, Table } from '../../../storage/state/state-store.ts';

const HAS_SCANNED = 'looked';
const LAST_SCAN = 'last-look-unix-ms';
const LOST_BYTES = 'lost-bytes';

/** The time is saved at most this often while the collector runs, and when it stops. */
const SAVE_EVERY_MS = 60_000;

/** The state that a run leaves to the next one besides checkpoints. */
export class TailHistory {
  readonly #store: StateStore;
  readonly #scans: Table<boolean>;
  readonly #table: Table<number>;
  /** In earlier runs. */
  readonly #lostBefore: number;
  /** When an earlier run scanned last, as far as that was saved. */
  readonly lastScanUnixMs: number | undefined;
  #savedUnixMs = 0;

  constructor(store: StateStore) {
    this.#store = store;
    this.#scans = store.table('tail-looks');
    this.#table = store.table('tail-history');
    this.lastScanUnixMs = this.#table.get(LAST_SCAN);
    this.#lostBefore = this.#table.get(LOST_BYTES) ?? 0;
  }

  /** False for a state directory with which no scan was made. */
  get hasScanned(): boolean {
    return this.#scans.get(HAS_SCANNED) !== undefined;
  }

  /** From now on, a file that is new was written after the first scan: it is read from its beginning. */
  async recordFirstScan(): Promise<void> {
    await this.#store.write(() => this.#scans.put(HAS_SCANNED, true));
  }

  /** The bytes that were lost with this state, when `lostBytes` were lost in this run. */
  lostBytes(lostBytes: number): number {
    return this.#lostBefore + lostBytes;
  }

  /** After a scan; does nothing when it is called again too soon. */
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
