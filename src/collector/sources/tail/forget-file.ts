import type { Json } from '../../../records/json.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import type { FileCheckpoint } from './files/file-checkpoint.ts';
import { CHECKPOINT_TABLE } from './tail-state.ts';

/**
 * Removes the checkpoints of the streams whose file was last seen at this path. The next start finds a file
 * that it does not know, and reads it from its beginning as a new stream. Returns the number of streams. A
 * running source forgets a file itself.
 */
export async function forgetFile(store: StateStore, path: string): Promise<number> {
  const table = store.table<Json>(CHECKPOINT_TABLE);
  const keys = Array.from(table.entries())
    .filter(({ value }) => isStreamAt(value as PlacedCheckpoint | null, path))
    .map(({ key }) => key);
  if (keys.length > 0)
    await store.write(() => {
      for (const key of keys) table.remove(key);
    });
  return keys.length;
}

/** A copy is not read: to forget it would change nothing. */
export function isStreamAt(checkpoint: PlacedCheckpoint | null, path: string): boolean {
  if (typeof checkpoint?.copyOf === 'string') return false;
  return checkpoint?.path === path || checkpoint?.target === path;
}

type PlacedCheckpoint = Partial<Pick<FileCheckpoint, 'path' | 'target' | 'copyOf'>>;
