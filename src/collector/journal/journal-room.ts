import type { FreeSpace } from '../../storage/state/free-space.ts';
import type { JournalEvents } from './events.ts';
import { HysteresisLimit } from './hysteresis-limit.ts';
import type { JournalChannel } from './journal-channel.ts';

/**
 * Decides whether there is room for a record: in memory, in the journal, on the disk, and in its stream's
 * share.
 */
export class JournalRoom {
  diskBytes = 0;
  pendingBytes = 0;
  readonly #options: JournalRoomOptions;
  readonly #diskMark: HysteresisLimit;
  readonly #pendingMark = new HysteresisLimit(MAX_PENDING_BYTES, MAX_PENDING_BYTES / 2);
  #full = false;

  constructor(options: JournalRoomOptions) {
    this.#options = options;
    this.#diskMark = new HysteresisLimit(options.maxBytes, (options.maxBytes / 8) * 7);
  }

  /** As of the last call of `admits`. */
  get full(): boolean {
    return this.#full;
  }

  /** The limit of one channel: half of the journal, when there are other channels. */
  static share(maxBytes: number): HysteresisLimit {
    return new HysteresisLimit(maxBytes / 2, (maxBytes / 8) * 3);
  }

  admits(channel: JournalChannel, size: number, alone: boolean): boolean {
    const reason = this.#reasonForFull(size);
    if (reason !== undefined && !this.#full) this.#options.events.full({ reason });
    if (reason === undefined && this.#full) this.#options.events.roomAvailable();
    this.#full = reason !== undefined;
    return !this.#full && (channel.share.admits(channel.heldBytes + size) || alone);
  }

  #reasonForFull(size: number): string | undefined {
    if (!this.#diskMark.admits(this.diskBytes + this.pendingBytes + size)) return 'the journal is full';
    if (!this.#pendingMark.admits(this.pendingBytes + size)) return 'the disk is too slow';
    return this.#options.freeSpace.shortage;
  }
}

/** Limit for accepted records that are not on disk yet. */
const MAX_PENDING_BYTES = 32 * 1024 * 1024;

export interface JournalRoomOptions {
  readonly maxBytes: number;
  readonly freeSpace: Pick<FreeSpace, 'shortage'>;
  readonly events: JournalEvents;
}
