import { cp, lstat } from 'node:fs/promises';

/** Copies a directory as evidence. Sockets, such as the lock of a state directory, have no content and are left out. */
export async function keepFiles(directory: string, target: string): Promise<void> {
  const filter = async (path: string) => !(await lstat(path)).isSocket();
  await cp(directory, target, { recursive: true, filter });
}
