import { resolve } from 'node:path';
import type { Json } from '../../../records/json.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import type { TailEntry } from './files/tail-configuration.ts';

export function rememberedEntries(store: StateStore): readonly TailEntry[] {
  const value = store.table<Json>('collector').get(KEY);
  if (!Array.isArray(value)) return [];
  return value.map((entry) => ({ ...(entry as unknown as TailEntry), resource: new Map() }));
}

const KEY = 'tail-entries';

/**
 * The tail entries of the last run, so that `explain` and `status` work while no collector is running. The
 * record cutting is not stored, because these commands do not need it.
 */
export async function rememberEntries(store: StateStore, entries: readonly TailEntry[]): Promise<void> {
  const table = store.table<Json>('collector');
  const value = entries.map(({ paths, exclude, format, startAt, ignoreOlderMs, archives }) => ({
    ...{ paths: paths.map((path) => resolve(path)), exclude, format, startAt },
    ...(ignoreOlderMs !== undefined && { ignoreOlderMs }),
    ...(archives !== undefined && { archives }),
  }));
  if (JSON.stringify(table.get(KEY)) === JSON.stringify(value)) return;
  await store.write(() => table.put(KEY, value));
}
