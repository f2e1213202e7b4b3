import type { Json } from '../../records/json.ts';
import type { StateStore } from '../../storage/state/state-store.ts';
import type { NotifyState } from './notify-state.ts';

/** In a separate store: it must be writable even when the queue's disk is full. */
export function storedNotifyState(store: StateStore): NotifyState {
  const table = store.table<Json>('notify');
  return {
    load: () => table.get(KEY),
    save: (state) => store.write(() => table.put(KEY, state)),
  };
}

const KEY = 'incidents';
