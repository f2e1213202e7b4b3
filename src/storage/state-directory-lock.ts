import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** Holds a directory for one process until released, or until the process is gone. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Locks a directory; undefined when somebody else has it.
 *
 * On Linux the lock is an abstract Unix socket named for the directory's device and inode: there is one of each name,
 * whatever path leads to the directory, and the kernel frees it with the process, so nothing stale is left behind.
 * Abstract names belong to a network namespace: two containers that share a volume but not the network do not see
 * each other's.
 *
 * Elsewhere it is a file that must not exist, with the process id in it. One whose process is gone is taken over; when
 * the id has been given to another process since, a person has to remove the file.
 */
export async function lockDirectory(path: string): Promise<DirectoryLock | undefined> {
  return process.platform === 'linux' ? lockBySocket(path) : lockByFile(path);
}

export async function lockBySocket(path: string): Promise<DirectoryLock | undefined> {
  const { dev, ino } = await stat(path, { bigint: true });
  const server = createServer((socket) => socket.destroy());
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(true) : reject(error),
    );
    server.listen(`\0mega-collector/${dev}:${ino}`, () => resolve(false));
  });
  if (taken) return undefined;
  server.unref();
  return { release: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

const LOCK_FILE = 'lock';

export async function lockByFile(path: string): Promise<DirectoryLock | undefined> {
  const file = join(path, LOCK_FILE);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx', mode: 0o600 });
      return { release: () => rm(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isAlive(Number(await readFile(file, 'utf8').catch(() => '')))) return undefined;
    await rm(file, { force: true });
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
