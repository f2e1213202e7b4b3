import type { Json } from '../../records/json.ts';

/** Persists open incidents and unsent events. Small: a few hundred bytes for each incident. */
export interface NotifyState {
  load(): Json | undefined;
  /** Resolves when flushed. */
  save(state: Json): Promise<void>;
}
