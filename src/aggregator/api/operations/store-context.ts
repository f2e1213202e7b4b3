import type { ApiStore } from '../api-store.ts';
import type { LogTail } from '../log-tail.ts';

/** The means of the operations on the store. */
export interface StoreContext {
  /** Throws HttpError when no store can be queried. */
  readonly store: () => ApiStore;
  readonly tail: LogTail;
}
