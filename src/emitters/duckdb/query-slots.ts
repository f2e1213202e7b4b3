import { SqlError } from '../../logstore/sql/sql-database.ts';

/**
 * At most N queries run and M wait; others are rejected. Each native call uses one of the process's few
 * threads for files, and the disk must not wait for a search.
 */
export class QuerySlots<Slot> {
  readonly #free: Slot[];
  readonly #waiting: ((slot: Slot) => void)[] = [];
  readonly #maxWaiting: number;
  #isPaused = false;

  constructor(slots: readonly Slot[], maxWaiting: number) {
    this.#free = [...slots];
    this.#maxWaiting = maxWaiting;
  }

  /** Rejects with `busy` if too many queries wait, or if no slot becomes free before the signal aborts. */
  async take(signal: AbortSignal): Promise<Slot> {
    const free = this.#isPaused ? undefined : this.#free.pop();
    if (free !== undefined) return free;
    if (this.#waiting.length >= this.#maxWaiting) throw new SqlError('busy', 'too many queries are waiting');
    return await new Promise((resolve, reject) => {
      const taken = (slot: Slot) => {
        signal.removeEventListener('abort', onAbort);
        resolve(slot);
      };
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(taken), 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(taken);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  release(slot: Slot): void {
    this.#free.push(slot);
    this.#handOut();
  }

  /** Admits no query until `resume`. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#handOut();
  }

  #handOut(): void {
    while (!this.#isPaused && this.#waiting.length > 0) {
      const slot = this.#free.pop();
      if (slot === undefined) return;
      this.#waiting.shift()?.(slot);
    }
  }
}
