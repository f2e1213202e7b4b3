import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './sync-directory.ts';

/**
 * Writes a file, or replaces it, durably: after a crash, `path` has the old content or the new one. `temporary`
 * is a path in the same directory where no file exists; a crash may leave it.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  { temporary, mode }: { readonly temporary: string; readonly mode: number },
): Promise<void> {
  const file = await open(temporary, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}
