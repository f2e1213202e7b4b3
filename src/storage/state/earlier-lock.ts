import { readdir, readFile, readlink, stat } from 'node:fs/promises';

/**
 * Whether a process of version 0.1.0 holds the directory. That version locked it with an abstract Unix
 * socket, whose name any user can bind. So the process of `owner.json` must be the owner of the socket.
 */
export async function isHeldByEarlierVersion(path: string, ownerPid: number | undefined): Promise<boolean> {
  if (process.platform !== 'linux' || ownerPid === undefined || ownerPid === process.pid) return false;
  const { dev, ino } = await stat(path, { bigint: true });
  const sockets = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const line = sockets.split('\n').find((each) => each.includes(` @mega-collector/${dev}:${ino}`));
  const inode = line?.trim().split(/\s+/).at(-2);
  return inode !== undefined && (await socketsOf(ownerPid)).includes(`socket:[${inode}]`);
}

/** Empty for a process that has ended, or of another user. */
async function socketsOf(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => []);
  return Promise.all(names.map((name) => readlink(`${directory}/${name}`).catch(() => '')));
}
