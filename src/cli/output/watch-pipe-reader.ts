import { readFile, readlink } from 'node:fs/promises';
import { repeat } from '../../runtime/async/repeat.ts';
import { type Cancel, systemClock } from '../../runtime/clock.ts';
import { findOpenFiles } from '../../runtime/files/find-open-files.ts';

/** Between two searches for the reader. */
const EVERY_MS = 1000;

/**
 * Calls `onGone` when the pipe at a file descriptor has lost its reader: `mega-collector monitor logs -f | head`. Node
 * notices this only at the next write, which may be hours later. Does nothing if it never finds a reader: the pipe of
 * another user, or another system than Linux.
 */
export function watchPipeReader(fd: number, onGone: () => void): Cancel {
  let wasFound = false;
  const search = async () => {
    const pipe = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
    const isFound = pipe.startsWith('pipe:') && (await hasReader(pipe));
    if (wasFound && !isFound) {
      cancel();
      onGone();
    }
    wasFound = isFound;
  };
  const cancel = repeat(systemClock, EVERY_MS, search);
  void search();
  return cancel;
}

async function hasReader(pipe: string): Promise<boolean> {
  for await (const { process: owner, fd } of findOpenFiles(new Set([pipe]))) {
    if (owner !== `/proc/${process.pid}` && (await isOpenForReading(owner, fd))) return true;
  }
  return false;
}

/** `flags:` is octal; its last two bits are 0 for reading, 2 for both directions. */
async function isOpenForReading(owner: string, fd: string): Promise<boolean> {
  const info = await readFile(`${owner}/fdinfo/${fd}`, 'utf8').catch(() => '');
  const flags = /^flags:\s*([0-7]+)$/m.exec(info)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 0o3) !== 1;
}
