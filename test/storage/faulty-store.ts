import type { StateStore } from '../../src/storage/state/state-store.ts';
import { openStateStore, type StateStoreOptions } from '../../src/storage/state/state-store.ts';
import { StateStoreError } from '../../src/storage/state/state-store-error.ts';

/** What becomes of a commit: it fails, or the process is killed before or after it. */
export type CommitFault = 'fail' | 'kill-before' | 'kill-after';

/** A real state store whose commits can be made to fail, and that hangs when its process has ended. */
export class FaultyStore implements StateStore {
  faultOf: () => CommitFault | undefined = () => undefined;
  onKilled: () => void = () => undefined;
  /** Each commit begins after this has resolved. */
  mayCommit: Promise<void> = Promise.resolve();
  readonly #store: StateStore;
  #alive = true;

  readonly #onCommit: StateStoreOptions['onCommit'];

  static async open(directory: string, options: StateStoreOptions = {}): Promise<FaultyStore> {
    return new FaultyStore(await openStateStore(directory, options), options.onCommit);
  }

  private constructor(store: StateStore, onCommit: StateStoreOptions['onCommit']) {
    this.#store = store;
    this.#onCommit = onCommit;
  }

  table: StateStore['table'] = (name) => this.#store.table(name);

  async write(change: () => void): Promise<void> {
    await this.mayCommit;
    if (!this.#alive) return hang();
    switch (this.faultOf()) {
      case 'fail':
        await new Promise((resolve) => setImmediate(resolve));
        throw this.#failure();
      case 'kill-before':
        this.kill();
        return hang();
      case 'kill-after':
        await this.#store.write(change);
        this.kill();
        return hang();
      case undefined:
        await this.#store.write(change);
        return this.#alive ? undefined : hang();
    }
  }

  #failure(): StateStoreError {
    const failure = new StateStoreError('simulated: the commit failed');
    this.#onCommit?.(failure);
    return failure;
  }

  close(): Promise<void> {
    return this.#alive ? this.#store.close() : hang();
  }

  kill(): void {
    this.#alive = false;
    this.onKilled();
  }

  /** After the end of its process: waits for what LMDB was at, and lets the file go. */
  async bury(): Promise<void> {
    await this.#store.close();
  }
}

function hang(): Promise<never> {
  return new Promise(() => undefined);
}
