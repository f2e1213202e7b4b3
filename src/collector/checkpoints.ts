import type { Json } from '../records/json.ts';
import { SerialQueue } from '../runtime/async/serial-queue.ts';
import { Timer } from '../runtime/async/timer.ts';
import type { Clock } from '../runtime/clock.ts';
import type { StateKey, StateStore, Table } from '../storage/state/state-store.ts';

/**
 * The state of sources that survives a restart: one small value for each stream, under the stream's id.
 *
 * Changes are combined: a stream that is accepted a hundred times in 100 ms is written once. Nothing waits
 * for these writes, because an outdated checkpoint only costs one query to the aggregator. Only `flush`
 * waits, before the first byte of a new stream is sent and at the end.
 */
export class Checkpoints<V extends Json> {
  readonly #store: StateStore;
  readonly #table: Table<V>;
  readonly #onFailure: (error: Error) => void;
  /** Pending values; undefined: removed. Each value is read when it is written, so that it is the latest. */
  #changed = new Map<string, (() => V) | undefined>();
  readonly #writes = new SerialQueue();
  readonly #timer: Timer;
  #closed = false;

  constructor(options: {
    readonly store: StateStore;
    readonly table: string;
    readonly clock: Clock;
    /** A flush in the background failed; the next one tries again. */
    readonly onFailure: (error: Error) => void;
  }) {
    this.#store = options.store;
    this.#table = options.store.table<V>(options.table);
    this.#timer = new Timer(options.clock, () => this.#flushInBackground());
    this.#onFailure = options.onFailure;
  }

  /** The values of the last run. */
  entries(): { readonly id: string; readonly value: V }[] {
    return Array.from(this.#table.entries(), ({ key, value }) => ({ id: keyText(key), value }));
  }

  /** The value of a stream has changed. `read` is called at the write. */
  change(id: string, read: () => V): void {
    this.#changed.set(id, read);
    this.#schedule();
  }

  remove(id: string): void {
    this.#changed.set(id, undefined);
    this.#schedule();
  }

  /** Resolves when all changes until now are on disk. Rejects when they cannot be written. */
  flush(): Promise<void> {
    this.#timer.cancel();
    return this.#writes.run(() => this.#write());
  }

  /** Stops writing further changes in the background. The store remains open. */
  close(): void {
    this.#closed = true;
    this.#timer.cancel();
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
      // Values that changed again in the meantime are newer.
      this.#changed = new Map([...changed, ...this.#changed]);
      throw error;
    }
  }

  #schedule(): void {
    if (!this.#closed) this.#timer.setIfUnset(FLUSH_AFTER_MS);
  }

  #flushInBackground(): void {
    this.flush().catch((error: unknown) => {
      this.#onFailure(error as Error);
      this.#schedule();
    });
  }
}

/** Maximum time between a change and the start of its write. */
const FLUSH_AFTER_MS = 100;

function keyText(key: StateKey): string {
  return typeof key === 'string' ? key : String(key);
}
