import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';

const NAME = 'write-probe';

/** Writes and flushes a small file in the directory, then removes it. Rejects when the disk fails. */
export async function probeDisk(directory: string, fileSystem: FileSystem): Promise<void> {
  const path = join(directory, NAME);
  await fileSystem.remove(path).catch(() => undefined);
  const file = await fileSystem.open(path, 'create');
  try {
    await file.writev([Buffer.from('probe\n')], 0);
    await file.datasync();
  } finally {
    await file.close();
    await fileSystem.remove(path).catch(() => undefined);
  }
}
