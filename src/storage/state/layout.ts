import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { openStateStore } from './state-store.ts';

/**
 * The layouts of a state directory.
 *
 *     1   version 0.1.0
 *     2   each row of the state stores carries a checksum
 */
export const LAYOUT_VERSION = 2;

/** Brings a directory of layout 1 to layout 2. Safe to repeat: rows that have a checksum keep it. */
export async function migrateLayout(path: string): Promise<void> {
  await addChecksums(join(path, 'state'));
  // A damaged notification store must not stop data: it is moved aside when it is opened.
  await addChecksums(join(path, 'notify')).catch(() => undefined);
}

async function addChecksums(directory: string): Promise<void> {
  const exists = await access(join(directory, 'data.mdb')).then(
    () => true,
    () => false,
  );
  if (exists) await (await openStateStore(directory, { addsChecksums: true })).close();
}
