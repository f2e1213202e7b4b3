import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ReadableFile } from './readable-file.ts';

/** Devices whose file systems record when a file was created. */
const recording = new Set<bigint>();

/**
 * The time of creation in nanoseconds; undefined where the file system does not record it. There, Node
 * returns 0 or the time of the last change. So a time of creation counts only on a device with an entry in
 * which the two times differ: the file itself, or the directory of `path`.
 */
export async function birthOf(handle: ReadableFile, path: string): Promise<string | undefined> {
  const state = await handle.stat({ bigint: true });
  if (state.birthtimeNs === 0n) return undefined;
  if (!note(state)) {
    const directory = await stat(dirname(path), { bigint: true }).catch(() => undefined);
    if (directory !== undefined) note(directory);
  }
  return recording.has(state.dev) ? String(state.birthtimeNs) : undefined;
}

/** True when the entry shows that its device records times of creation, or when that is known. */
function note({ dev, birthtimeNs, ctimeNs }: BigIntStats): boolean {
  if (birthtimeNs !== 0n && birthtimeNs !== ctimeNs) recording.add(dev);
  return recording.has(dev);
}
