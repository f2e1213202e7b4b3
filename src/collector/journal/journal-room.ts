import type { FreeSpace } from '../../storage/free-space.ts';
import type { JournalEvents } from './events.ts';
import type { JournalChannel } from './journal-channel.ts';
import { Watermark } from './watermark.ts';

/** Taken, and not yet on disk. */
const MAX_PENDING_BYTES = 32 * 1024 * 1024;

export interface JournalRoomOptions {
  readonly maxBytes: number;
  readonly freeSpace: Pick<FreeSpace, 'shortage'>;
  readonly events: JournalEvents;
}

/** Whether there is room for a record: in memory, in the journal, on the disk, and in its stream's share. */
export class JournalRoom {
  diskBytes = 0;
  pendingBytes = 0;
  readonly #options: JournalRoomOptions;
  readonly #diskMark: Watermark;
  readonly #pendingMark = new Watermark(MAX_PENDING_BYTES, MAX_PENDING_BYTES / 2);
  #full = false;

  constructor(options: JournalRoomOptions) {
    this.#options = options;
    this.#diskMark = new Watermark(options.maxBytes, (options.maxBytes / 8) * 7);
  }

  /** As of the last question. */
  get full(): boolean {
    return this.#full;
  }

  /** For a channel: half, when there are others. */
  static share(maxBytes: number): Watermark {
    return new Watermark(maxBytes / 2, (maxBytes / 8) * 3);
  }

  admits(channel: JournalChannel, size: number, alone: boolean): boolean {
    const reason = this.#fullBecause(size);
    if (reason !== undefined && !this.#full) this.#options.events.full(reason);
    if (reason === undefined && this.#full) this.#options.events.roomAgain();
    this.#full = reason !== undefined;
    return !this.#full && (channel.share.admits(channel.heldBytes + size) || alone);
  }

  #fullBecause(size: number): string | undefined {
    if (!this.#diskMark.admits(this.diskBytes + this.pendingBytes + size)) return 'the journal is full';
    if (!this.#pendingMark.admits(this.pendingBytes + size)) return 'the disk is too slow';
    return this.#options.freeSpace.shortage;
  }
}
