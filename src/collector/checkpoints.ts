import type { Cancel, Clock } from '../runtime/clock.ts';
import type { Json } from '../storage/queue-contract.ts';
import type { StateKey, StateStore, Table } from '../storage/state-store.ts';

/** At the latest so long after a change it is on its way to the disk. */
const FLUSH_AFTER_MS = 100;

/**
 * What a source must find again after a restart: one small value for each stream, under the stream's id.
 *
 * Changes are gathered: a stream that is accepted a hundred times in 100 ms is written once. Nothing waits for that,
 * because a checkpoint that is behind costs no more than a question to the aggregator; only `flush` waits, before a new
 * stream's first byte is sent and at the end.
 */
export class Checkpoints<V extends Json> {
  readonly #store: StateStore;
  readonly #table: Table<V>;
  readonly #clock: Clock;
  readonly #onFailure: (error: Error) => void;
  /** What is to be written; undefined: removed. Read when it is written, so that it is the latest. */
  #changed = new Map<string, (() => V) | undefined>();
  #writing: Promise<void> = Promise.resolve();
  #cancelTimer: Cancel | undefined;
  #closed = false;

  constructor(options: {
    readonly store: StateStore;
    readonly table: string;
    readonly clock: Clock;
    /** A flush in the background failed; it is tried again with the next one. */
    readonly onFailure: (error: Error) => void;
  }) {
    this.#store = options.store;
    this.#table = options.store.table<V>(options.table);
    this.#clock = options.clock;
    this.#onFailure = options.onFailure;
  }

  /** What the last run left. */
  entries(): { readonly id: string; readonly value: V }[] {
    return Array.from(this.#table.entries(), ({ key, value }) => ({ id: keyText(key), value }));
  }

  /** The value of a stream has changed. `read` is called when it is written. */
  change(id: string, read: () => V): void {
    this.#changed.set(id, read);
    this.#schedule();
  }

  remove(id: string): void {
    this.#changed.set(id, undefined);
    this.#schedule();
  }

  /** Resolves when all that has changed until now is on disk. Rejects when it cannot be written. */
  flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const write = this.#writing.then(() => this.#write());
    this.#writing = write.catch(() => undefined);
    return write;
  }

  /** What changes from now on is not written by itself. The store remains open. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
  }

  async #write(): Promise<void> {
    const changed = this.#changed;
    if (changed.size === 0) return;
    this.#changed = new Map();
    try {
      await this.#store.write(() => {
        for (const [id, read] of changed) {
          if (read === undefined) this.#table.remove(id);
          else this.#table.put(id, read());
        }
      });
    } catch (error) {
      // Whatever has changed again since is newer.
      this.#changed = new Map([...changed, ...this.#changed]);
      throw error;
    }
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#cancelTimer ??= this.#clock.after(FLUSH_AFTER_MS, () => {
      this.#cancelTimer = undefined;
      this.flush().catch((error: unknown) => {
        this.#onFailure(error as Error);
        this.#schedule();
      });
    });
  }
}

function keyText(key: StateKey): string {
  return typeof key === 'string' ? key : String(key);
}
