import type { JournalChannel } from './journal-channel.ts';

/** The callers that wait for room in a channel, in the order of their calls. */
export class RoomWaiters {
  readonly #waiting = new Map<JournalChannel, Set<Waiter>>();

  get channels(): readonly JournalChannel[] {
    return [...this.#waiting.keys()];
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Resolves with the result of `release` or `end`; with false when the signal is aborted. */
  wait(channel: JournalChannel, bytes: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const abort = () => this.#resolve(channel, waiter, false);
      const waiter: Waiter = {
        bytes,
        resolve: (hasRoom) => {
          signal?.removeEventListener('abort', abort);
          resolve(hasRoom);
        },
      };
      const waiters = this.#waiting.get(channel) ?? new Set();
      this.#waiting.set(channel, waiters.add(waiter));
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Resolves the callers of a channel whose records have room, up to the first whose record has none. */
  release(channel: JournalChannel, hasRoom: (bytes: number) => boolean): void {
    for (const waiter of this.#waiting.get(channel) ?? []) {
      if (!hasRoom(waiter.bytes)) return;
      this.#resolve(channel, waiter, true);
    }
  }

  /** There will be no room for a channel: it is closed. */
  end(channel: JournalChannel): void {
    for (const waiter of this.#waiting.get(channel) ?? []) this.#resolve(channel, waiter, false);
  }

  #resolve(channel: JournalChannel, waiter: Waiter, hasRoom: boolean): void {
    const waiters = this.#waiting.get(channel);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiting.delete(channel);
    waiter.resolve(hasRoom);
  }
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: (hasRoom: boolean) => void;
}
