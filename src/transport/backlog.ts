import type { DropReason, QueueOptions } from './outlet.ts';

/**
 * The queue of accepted messages that a session has not sent yet, in order, with a limit in bytes. Messages
 * in flight count until they are settled, and are never dropped for newer ones.
 *
 *     [ in flight: taken ][ waiting ......................... ] <- add
 *       confirm, putBack    drop-oldest takes from here
 */
export class Backlog {
  readonly #maxBytes: number;
  readonly #dropOldest: boolean;
  readonly #onDropped: (reason: DropReason, count: number) => void;
  #inFlight: readonly Waiting[] = [];
  /** Entries before `#head` are removed. */
  #waiting: Waiting[] = [];
  #head = 0;
  #bytes = 0;
  #lastOrdinal = 0;
  #flushWaiters: FlushWaiter[] = [];
  #roomWaiters: (() => void)[] = [];

  constructor(options: BacklogOptions) {
    this.#maxBytes = options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES;
    this.#dropOldest = options.whenFull !== 'drop-newest';
    this.#onDropped = options.onDropped;
  }

  /** Number of messages, including those in flight. */
  get count(): number {
    return this.#inFlight.length + this.#waiting.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.count === 0;
  }

  /** Returns false if the message was dropped. */
  add(packets: readonly Uint8Array[]): boolean {
    const bytes = packets.reduce((sum, { length }) => sum + length, ENTRY_BYTES);
    if (bytes > this.#maxBytes) {
      this.#onDropped('too-large', 1);
      return false;
    }
    if (!this.#makeRoom(bytes)) {
      this.#onDropped('full', 1);
      return false;
    }
    this.#waiting.push({ ordinal: ++this.#lastOrdinal, packets, bytes });
    this.#bytes += bytes;
    return true;
  }

  /**
   * Returns the next messages up to a size, at least one. They are in flight until one of the next three is
   * called.
   */
  take(maxBytes: number, maxCount = 1024): readonly Waiting[] {
    const taken: Waiting[] = [];
    let bytes = 0;
    for (let next = this.#waiting[this.#head]; next !== undefined; next = this.#waiting[this.#head]) {
      if (taken.length > 0 && (bytes + next.bytes > maxBytes || taken.length === maxCount)) break;
      taken.push(next);
      bytes += next.bytes;
      this.#head++;
    }
    this.#inFlight = taken;
    return taken;
  }

  /** The messages in flight are sent. */
  confirm(): void {
    this.#forget(this.#inFlight);
    this.#inFlight = [];
    this.#settle();
  }

  /** The messages in flight return to the front of the queue. */
  putBack(): void {
    this.#waiting = [...this.#inFlight, ...this.#waiting.slice(this.#head)];
    this.#head = 0;
    this.#inFlight = [];
  }

  /** Drops the messages in flight. */
  giveUp(reason: DropReason): void {
    const lost = this.#inFlight;
    this.#inFlight = [];
    this.#drop(lost, reason);
    this.#settle();
  }

  /** Drops all messages. */
  clear(reason: DropReason): void {
    const lost = [...this.#inFlight, ...this.#waiting.slice(this.#head)];
    this.#inFlight = [];
    this.#waiting = [];
    this.#head = 0;
    this.#drop(lost, reason);
    this.#settle();
  }

  room(): Promise<void> {
    if (this.#bytes * 2 < this.#maxBytes) return Promise.resolve();
    return new Promise((resolve) => void this.#roomWaiters.push(resolve));
  }

  /** See `Outlet.flush`. */
  flush(deadline?: AbortSignal): Promise<boolean> {
    if (this.empty) return Promise.resolve(true);
    if (deadline?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onAbort = () => {
        this.#flushWaiters = this.#flushWaiters.filter((each) => each !== waiter);
        resolve(false);
      };
      const waiter: FlushWaiter = {
        ordinal: this.#lastOrdinal,
        complete: true,
        resolve: (complete) => {
          deadline?.removeEventListener('abort', onAbort);
          resolve(complete);
        },
      };
      deadline?.addEventListener('abort', onAbort, { once: true });
      this.#flushWaiters.push(waiter);
    });
  }

  #makeRoom(bytes: number): boolean {
    if (this.#bytes + bytes <= this.#maxBytes) return true;
    if (!this.#dropOldest) return false;
    const dropped: Waiting[] = [];
    let free = this.#maxBytes - this.#bytes;
    for (let index = this.#head; free < bytes; index++) {
      const oldest = this.#waiting[index];
      // All remaining messages are in flight.
      if (oldest === undefined) break;
      dropped.push(oldest);
      free += oldest.bytes;
    }
    if (free < bytes) return false;
    this.#head += dropped.length;
    this.#drop(dropped, 'full');
    this.#settle();
    return true;
  }

  #drop(lost: readonly Waiting[], reason: DropReason): void {
    const newest = lost.at(-1);
    const oldest = lost[0];
    if (newest === undefined || oldest === undefined) return;
    for (const waiter of this.#flushWaiters) if (oldest.ordinal <= waiter.ordinal) waiter.complete = false;
    this.#forget(lost);
    this.#onDropped(reason, lost.length);
  }

  #forget(gone: readonly Waiting[]): void {
    for (const { bytes } of gone) this.#bytes -= bytes;
  }

  /** Resolves pending flushes and waits for room, and releases entries before the head. */
  #settle(): void {
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    const oldest = this.#inFlight[0] ?? this.#waiting[this.#head];
    const settled = (oldest?.ordinal ?? Number.POSITIVE_INFINITY) - 1;
    const done = this.#flushWaiters.filter(({ ordinal }) => ordinal <= settled);
    if (done.length > 0) {
      this.#flushWaiters = this.#flushWaiters.filter(({ ordinal }) => ordinal > settled);
      for (const { resolve, complete } of done) resolve(complete);
    }
    if (this.#roomWaiters.length > 0 && this.#bytes * 2 < this.#maxBytes) {
      for (const resolve of this.#roomWaiters.splice(0)) resolve();
    }
  }
}

/** A queued message. Ordinals count accepted messages, from 1. */
export interface Waiting {
  readonly ordinal: number;
  readonly packets: readonly Uint8Array[];
  readonly bytes: number;
}

interface FlushWaiter {
  readonly ordinal: number;
  complete: boolean;
  readonly resolve: (complete: boolean) => void;
}

export interface BacklogOptions extends QueueOptions {
  readonly onDropped: (reason: DropReason, count: number) => void;
}

const DEFAULT_MAX_QUEUED_BYTES = 16 * 1024 * 1024;
/** Overhead of an entry in addition to its bytes, which limits the number of tiny messages. */
const ENTRY_BYTES = 128;
