import { readdir, readFile, readlink, stat } from 'node:fs/promises';

/**
 * Whether version 0.1.0 holds the directory. It locked by an abstract Unix socket with a name that every user can bind,
 * so the name alone means nothing: the process of `owner.json` must be the one that has the socket.
 */
export async function isHeldByEarlierVersion(path: string, ownerPid: number | undefined): Promise<boolean> {
  if (process.platform !== 'linux' || ownerPid === undefined || ownerPid === process.pid) return false;
  const { dev, ino } = await stat(path, { bigint: true });
  const sockets = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const line = sockets.split('\n').find((each) => each.includes(` @mega-collector/${dev}:${ino}`));
  const inode = line?.trim().split(/\s+/).at(-2);
  return inode !== undefined && (await socketsOf(ownerPid)).includes(`socket:[${inode}]`);
}

/** Empty for a process that is gone, or of another user. */
async function socketsOf(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => []);
  return Promise.all(names.map((name) => readlink(`${directory}/${name}`).catch(() => '')));
}
