import { type EntryNumber, QueueError } from './queue-contract.ts';

/** Callers that wait until the cursor of an emitter has passed an entry. */
export class CursorPassages {
  readonly #waiting = new Map<string, Waiter[]>();
  #closed = false;

  /** Resolves when the cursor of the emitter is at `entry` or after it. Rejects when the queue closes. */
  wait(emitter: string, entry: EntryNumber): Promise<void> {
    if (this.#closed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(emitter);
      const waiter = { entry, resolve, reject };
      if (waiters === undefined) this.#waiting.set(emitter, [waiter]);
      else waiters.push(waiter);
    });
  }

  /** The cursor is on disk at this entry. */
  reached(emitter: string, entry: EntryNumber): void {
    const waiters = this.#waiting.get(emitter);
    if (waiters === undefined) return;
    // Callers wait for the end of the queue, so their entries ascend.
    const remaining = waiters.findIndex((waiter) => waiter.entry > entry);
    const passed = waiters.splice(0, remaining === -1 ? waiters.length : remaining);
    if (waiters.length === 0) this.#waiting.delete(emitter);
    for (const { resolve } of passed) resolve();
  }

  close(): void {
    this.#closed = true;
    const waiting = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    for (const { reject } of waiting) reject(closed());
  }
}

interface Waiter {
  readonly entry: EntryNumber;
  readonly resolve: () => void;
  readonly reject: (error: QueueError) => void;
}

function closed(): QueueError {
  return new QueueError('The queue is closed');
}
