import { readdir, readlink } from 'node:fs/promises';

/** An open file of a process. */
export interface OpenFileOfProcess {
  /** Its directory in `/proc`. */
  readonly process: string;
  readonly fd: string;
}

/**
 * Finds the processes that have one of these files open, by the targets of the links in `/proc/PID/fd`:
 * `pipe:[4711]`, `socket:[4711]`. Linux only. Files of other users can be seen only by root.
 */
export async function* findOpenFiles(targets: ReadonlySet<string>): AsyncGenerator<OpenFileOfProcess> {
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const process = `/proc/${pid}`;
    for (const fd of await readdir(`${process}/fd`).catch(() => [])) {
      if (targets.has(await readlink(`${process}/fd/${fd}`).catch(() => ''))) yield { process, fd };
    }
  }
}
