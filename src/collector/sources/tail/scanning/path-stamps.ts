import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { LocalDevices } from '../files/local-devices.ts';

/** A change so soon after the last one may leave the recorded time as it is: some file systems record seconds. */
const RECENT_MS = 2_000;

/**
 * The states of directories and archives, from the time before a scan has listed or read them: if they are the same
 * later, the scan has seen all of their changes.
 */
export class PathStamps {
  readonly #localDevices: Pick<LocalDevices, 'has' | 'examine'>;
  #wanted: ReadonlySet<string> = new Set();
  /** The state of each path that can be compared later. */
  #stamps = new Map<string, string>();

  constructor(localDevices: Pick<LocalDevices, 'has' | 'examine'>) {
    this.#localDevices = localDevices;
  }

  /** Called before a scan, for the paths of the scan before it. */
  async refresh(): Promise<void> {
    const stamps = new Map<string, string>();
    for (const path of this.#wanted) {
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      await this.#localDevices.examine(String(found.dev), path);
      const isOld = Date.now() - found.mtimeMs >= RECENT_MS;
      if (isOld && this.#localDevices.has(String(found.dev))) stamps.set(path, stampOf(found));
    }
    this.#stamps = stamps;
  }

  /** Called after the scan, with the paths that it has seen. True when the state of each of them is known. */
  cover(paths: ReadonlySet<string>): boolean {
    this.#wanted = paths;
    for (const path of this.#stamps.keys()) if (!paths.has(path)) this.#stamps.delete(path);
    return this.#stamps.size === paths.size;
  }

  areUnchanged(): boolean {
    for (const [path, stamp] of this.#stamps) {
      try {
        if (stampOf(statSync(path)) !== stamp) return false;
      } catch {
        return false;
      }
    }
    return true;
  }
}

/** Which file it is, and when its content, its names or its permissions have changed. */
function stampOf({ dev, ino, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${mtimeMs}:${ctimeMs}`;
}
