import type { Json } from '../../storage/queue-contract.ts';

/** Where open incidents and unsent events outlive the process. Small: a few hundred bytes for each incident. */
export interface NotifyState {
  load(): Json | undefined;
  /** Resolves when flushed. */
  save(state: Json): Promise<void>;
}
