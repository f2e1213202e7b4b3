import { parseStreamId } from '../../../records/stream-id.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import { Checkpoints } from '../../checkpoints.ts';
import { ageDormantStreams } from './age-dormant-streams.ts';
import type { TailEvents } from './files/events.ts';
import type { FileCheckpoint } from './files/file-checkpoint.ts';
import type { FollowedFiles } from './identity/followed-files.ts';
import { type ScanResult, TailHistory } from './tail-history.ts';

export const CHECKPOINT_TABLE = 'tail-checkpoints';

/**
 * The state of the tail source on disk: checkpoints of streams, and the history of its runs. A failed write
 * is logged.
 */
export class TailState {
  readonly checkpoints: Checkpoints<FileCheckpoint>;
  readonly #parts: TailStateParts;
  readonly #history: TailHistory;
  #isFirstEver = false;
  #undecidedSinceUnixMs: number | undefined;
  #lastAgedMs: number;

  constructor(parts: TailStateParts) {
    const { store, clock, events } = parts;
    this.#parts = parts;
    this.#lastAgedMs = clock.monotonicMs();
    this.#history = new TailHistory(store);
    const onFailure = (err: Error) => events.checkpointsFailed({ err });
    this.checkpoints = new Checkpoints({ store, table: CHECKPOINT_TABLE, clock, onFailure });
  }

  /** No scan was made with this state before: `start_at` applies. */
  get isFirstEver(): boolean {
    return this.#isFirstEver;
  }

  /** When an earlier run scanned last, as far as that was saved. */
  get lastScanUnixMs(): number | undefined {
    return this.#history.lastScanUnixMs;
  }

  /** The bytes that were lost with this state, in all runs. */
  get lostBytes(): number {
    return this.#history.lostBytes(this.#parts.events.allLostBytes());
  }

  /** Makes a dormant stream of each checkpoint. */
  load(): void {
    const { dormant } = this.#parts.files;
    for (const { id, value } of this.checkpoints.entries()) {
      const stream = parseStreamId(id);
      if (stream !== undefined) dormant.add(stream, value);
    }
    this.#isFirstEver = dormant.size === 0 && !this.#history.hasScanned;
  }

  /** False when the checkpoints cannot be written now. */
  saveCheckpoints(): Promise<boolean> {
    return this.#attempt(() => this.checkpoints.flush());
  }

  /** `undecidedSinceUnixMs`: the next run decides about rotated files that were written since then. */
  async recordScan(undecidedSinceUnixMs?: number): Promise<void> {
    this.#undecidedSinceUnixMs = undecidedSinceUnixMs;
    if (this.#isFirstEver && (await this.#attempt(() => this.#history.recordFirstScan())))
      this.#isFirstEver = false;
    if (this.#parts.isOffline) return;
    await this.#attempt(() => this.#history.scanned(this.#nowUnixMs(), this.#lastScan));
  }

  /** At the end of a run. */
  async save(): Promise<void> {
    await this.saveCheckpoints();
    if (this.#parts.isOffline) return;
    await this.#attempt(() => this.#history.save(this.#nowUnixMs(), this.#lastScan));
  }

  ageDormant(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    ageDormantStreams(this.#parts.files, this.checkpoints, nowMs - this.#lastAgedMs);
    this.#lastAgedMs = nowMs;
  }

  get #lastScan(): ScanResult {
    const lostBytes = this.#parts.events.allLostBytes();
    return { lostBytes, undecidedSinceUnixMs: this.#undecidedSinceUnixMs };
  }

  async #attempt(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      this.#parts.events.checkpointsFailed({ err: error });
      return false;
    }
  }

  #nowUnixMs(): number {
    return Number(this.#parts.clock.nowUnixNano() / 1_000_000n);
  }
}

export interface TailStateParts {
  readonly store: StateStore;
  readonly files: FollowedFiles;
  readonly clock: Clock;
  readonly events: TailEvents;
  /** A command reads the state: the time of its scan and its losses are not saved. */
  readonly isOffline: boolean;
}
