import { readFile, stat } from 'node:fs/promises';
import { findOpenFiles } from '../../runtime/files/find-open-files.ts';

/**
 * Whether a process of this user, or of root, listens at an abstract socket name (without the NUL). Any user of the
 * machine can listen at any abstract name, and the kernel does not say which one does. But the open files of a process
 * can be seen by its own user, and by root.
 */
export async function isHeldByOwnUser(name: string): Promise<boolean> {
  const users = [process.geteuid?.(), 0];
  for await (const found of findOpenFiles(await listeningSockets(name))) {
    const owner = await stat(found.process).catch(() => undefined);
    if (owner !== undefined && users.includes(owner.uid)) return true;
  }
  return false;
}

/** The sockets at a name, in the form of a link in `/proc/PID/fd`. */
async function listeningSockets(name: string): Promise<ReadonlySet<string>> {
  const lines = (await readFile('/proc/net/unix', 'utf8')).split('\n');
  const found = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , flags, , , , path]) => flags === LISTENING && path?.replace(/@+$/, '') === `@${name}`);
  return new Set(found.map((columns) => `socket:[${columns[6] ?? ''}]`));
}

/** `__SO_ACCEPTCON` */
const LISTENING = '00010000';
