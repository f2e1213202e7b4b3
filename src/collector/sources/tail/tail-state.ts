import { parseStreamId } from '../../../records/stream-id.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import { Checkpoints } from '../../checkpoints.ts';
import { ageDormantStreams } from './age-dormant-streams.ts';
import type { TailEvents } from './files/events.ts';
import type { FileCheckpoint } from './files/file-checkpoint.ts';
import type { FollowedFiles } from './identity/followed-files.ts';
import { TailHistory } from './tail-history.ts';

/**
 * The state of the tail source on disk: checkpoints of streams, and the history of its runs. A failed write
 * is logged.
 */
export class TailState {
  readonly checkpoints: Checkpoints<FileCheckpoint>;
  readonly #parts: TailStateParts;
  readonly #history: TailHistory;
  #isFirstEver = false;
  #lastAgedMs: number;

  constructor(parts: TailStateParts) {
    const { store, clock, events } = parts;
    this.#parts = parts;
    this.#lastAgedMs = clock.monotonicMs();
    this.#history = new TailHistory(store);
    const onFailure = (err: Error) => events.checkpointsFailed({ err });
    this.checkpoints = new Checkpoints({ store, table: 'tail-checkpoints', clock, onFailure });
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

  async recordScan(): Promise<void> {
    if (this.#isFirstEver && (await this.#attempt(() => this.#history.recordFirstScan())))
      this.#isFirstEver = false;
    const { isOffline, events } = this.#parts;
    if (!isOffline)
      await this.#attempt(() => this.#history.scanned(this.#nowUnixMs(), events.allLostBytes()));
  }

  /** At the end of a run. */
  async save(): Promise<void> {
    const { isOffline, events } = this.#parts;
    await this.saveCheckpoints();
    if (!isOffline) await this.#attempt(() => this.#history.save(this.#nowUnixMs(), events.allLostBytes()));
  }

  ageDormant(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    ageDormantStreams(this.#parts.files, this.checkpoints, nowMs - this.#lastAgedMs);
    this.#lastAgedMs = nowMs;
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
