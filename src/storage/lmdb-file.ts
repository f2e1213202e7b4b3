import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { LMDB_PAGE_BYTES } from './lmdb-room.ts';
import { StateStoreError } from './state-store-error.ts';

const MAGIC_OFFSET = 24;
const MAGIC = 0xbeefc0de;

/**
 * LMDB maps its file and believes what it finds: a file that is not its own ends the process without a word. So the two
 * meta pages are looked at first. Rejects with a StateStoreError; a file that is missing or empty will be made.
 */
export async function assertLmdbFile(directory: string): Promise<void> {
  const path = join(directory, 'data.mdb');
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new StateStoreError(`${path} cannot be read: ${error.message}`, { cause: error });
  });
  if (file === undefined) return;
  try {
    const pages = Buffer.alloc(2 * LMDB_PAGE_BYTES);
    const { bytesRead } = await file.read(pages, 0, pages.length, 0);
    if (bytesRead === 0) return;
    const isWhole =
      bytesRead === pages.length &&
      pages.readUInt32LE(MAGIC_OFFSET) === MAGIC &&
      pages.readUInt32LE(LMDB_PAGE_BYTES + MAGIC_OFFSET) === MAGIC;
    if (!isWhole)
      throw new StateStoreError(`${path} is damaged: it does not begin as a database of LMDB does`);
  } finally {
    await file.close();
  }
}
