import { readdir, readFile, readlink, stat } from 'node:fs/promises';

/**
 * Whether a process of this user, or of root, listens at an abstract socket name (without the NUL). Any user of the
 * machine can listen at any abstract name, and the kernel does not say which one does. But the open files of a process
 * can be seen by its own user, and by root.
 */
export async function isHeldByOwnUser(name: string): Promise<boolean> {
  const inodes = await listeningInodes(name);
  if (inodes.size === 0) return false;
  const users = new Set([process.geteuid?.(), 0]);
  for (const pid of (await readdir('/proc')).filter((each) => /^\d+$/.test(each))) {
    const uid = await stat(`/proc/${pid}`).then(
      (found) => found.uid,
      () => undefined,
    );
    if (uid !== undefined && users.has(uid) && (await hasSocket(pid, inodes))) return true;
  }
  return false;
}

/** The numbers of the sockets at a name, in the form of a link in `/proc/PID/fd`. */
async function listeningInodes(name: string): Promise<ReadonlySet<string>> {
  const lines = (await readFile('/proc/net/unix', 'utf8')).split('\n');
  const found = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , flags, , , , path]) => flags === LISTENING && path?.replace(/@+$/, '') === `@${name}`);
  return new Set(found.map((columns) => `socket:[${columns[6] ?? ''}]`));
}

async function hasSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  for (const file of await readdir(directory).catch(() => [])) {
    if (inodes.has(await readlink(`${directory}/${file}`).catch(() => ''))) return true;
  }
  return false;
}

/** `__SO_ACCEPTCON` */
const LISTENING = '00010000';
