import type { Json } from '../../../records/json.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import type { FileCheckpoint } from './files/file-checkpoint.ts';
import { CHECKPOINT_TABLE } from './tail-state.ts';

/**
 * Removes the checkpoints of the streams whose file was last seen at this path. The next start finds a file
 * that it does not know, and reads it from its beginning as a new stream. Returns the number of streams.
 */
export async function forgetFile(store: StateStore, path: string): Promise<number> {
  const table = store.table<Json>(CHECKPOINT_TABLE);
  const keys = Array.from(table.entries())
    .filter(({ value }) => isAt(value as Partial<FileCheckpoint> | null, path))
    .map(({ key }) => key);
  if (keys.length > 0)
    await store.write(() => {
      for (const key of keys) table.remove(key);
    });
  return keys.length;
}

function isAt(checkpoint: Partial<FileCheckpoint> | null, path: string): boolean {
  return checkpoint?.path === path || checkpoint?.target === path;
}
