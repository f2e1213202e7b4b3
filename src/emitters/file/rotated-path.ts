import { basename, dirname, join } from 'node:path';
import type { FileSystem } from './file-system.ts';

/** Returns `access.log.N` with the number after the highest existing one, including compressed files. */
export async function nextRotatedPath(path: string, disk: FileSystem): Promise<string> {
  const prefix = `${basename(path)}.`;
  let highest = 0;
  for (const name of await disk.list(dirname(path))) {
    const number = name.startsWith(prefix)
      ? /^(\d{1,15})(?:\.|$)/.exec(name.slice(prefix.length))?.[1]
      : undefined;
    if (number !== undefined) highest = Math.max(highest, Number(number));
  }
  return join(dirname(path), `${prefix}${highest + 1}`);
}
