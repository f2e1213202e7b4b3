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
  #savedLostBytes = 0;

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
  async scanned(nowUnixMs: number, scan: ScanResult): Promise<void> {
    const isDue = Math.abs(nowUnixMs - this.#savedUnixMs) >= SAVE_EVERY_MS;
    // A loss that is counted must not be counted again after a crash.
    if (isDue || scan.lostBytes !== this.#savedLostBytes) await this.save(nowUnixMs, scan);
  }

  async save(
    nowUnixMs: number,
    { lostBytes, undecidedSinceUnixMs = nowUnixMs + 1 }: ScanResult,
  ): Promise<void> {
    await this.#store.write(() => {
      this.#table.put(LAST_SCAN, Math.min(nowUnixMs, undecidedSinceUnixMs - 1));
      this.#table.put(LOST_BYTES, this.lostBytes(lostBytes));
    });
    this.#savedUnixMs = nowUnixMs;
    this.#savedLostBytes = lostBytes;
  }
}

/** The part of a scan that the next run needs. */
export interface ScanResult {
  /** The bytes that were lost in this run. */
  readonly lostBytes: number;
  /** The next run decides about rotated files that were written at this time or later. */
  readonly undecidedSinceUnixMs?: number | undefined;
}
