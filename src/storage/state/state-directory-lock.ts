import { randomBytes } from 'node:crypto';
import { link, readdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { openSocketPath, type SocketPath } from '../../runtime/control/socket-path.ts';

/** Locks a directory for one process until it is released or the process ends. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/*
 * Unix sockets in a directory decide which process owns it: `lock.1`, `lock.2`, ... The owner listens on the one with the
 * highest number. The directory has mode 0700, so no other user can make or reach them, and the kernel stops the
 * listening with the process: no leftover can block the next one.
 *
 *     lock.7 has no listener    lock.8 has a listener: the owner
 *
 *   1. A starting process that finds the highest one listening is rejected.
 *   2. Otherwise it creates a socket with a temporary name, listens on it, and only then links it as the next number. A link
 *      never replaces anything: of several processes that found the same dead socket, one succeeds.
 *   3. It owns the directory when there is no higher number now. Otherwise other processes have started and ended since
 *      its check, and it tries again.
 *   4. The owner removes the lower numbers. Its own remains when it ends, so that numbers are never reused.
 *
 * A socket that is seen under a number was listening before, so one that refuses is permanently dead. This makes
 * step 2 safe for slow processes.
 *
 * Names in a directory are the same in every network namespace: containers that share a volume see each other's lock.
 * Machines that share a directory over a network do not.
 */
const PREFIX = 'lock.';
const STARTING = 'lock-starting-';
const TRIES = 20;

/** Locks a directory; undefined when another process holds it. Rejects when the directory is not writable. */
export async function lockDirectory(directory: string): Promise<DirectoryLock | undefined> {
  const name = `${STARTING}${randomBytes(8).toString('hex')}`;
  const socketPath = await openSocketPath(directory, name);
  const server = createServer((socket) => socket.destroy());
  const release = () => close(server, socketPath);
  try {
    await listen(server, socketPath.path);
    const number = await claim(directory, name);
    await unlink(join(directory, name)).catch(ifMissing);
    if (number === undefined) {
      await release();
      return undefined;
    }
    await removeOthers(directory, number);
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Whether a process holds the directory now. Changes nothing, and another process may lock it at any moment. */
export async function isLocked(directory: string): Promise<boolean> {
  const highest = await highestIn(directory);
  return highest > 0 && (await isListening(directory, `${PREFIX}${highest}`));
}

async function claim(directory: string, name: string): Promise<number | undefined> {
  for (let tried = 0; tried < TRIES; tried++) {
    const highest = await highestIn(directory);
    if (highest > 0 && (await isListening(directory, `${PREFIX}${highest}`))) return undefined;
    if (!(await tryToLink(directory, name, highest + 1))) continue;
    if ((await highestIn(directory)) === highest + 1) return highest + 1;
  }
  return undefined;
}

/** False: another process was faster. */
async function tryToLink(directory: string, name: string, number: number): Promise<boolean> {
  try {
    await link(join(directory, name), join(directory, `${PREFIX}${number}`));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The owner removes leftovers of starting processes; one that does not listen yet looks like a leftover.
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  }
}

async function highestIn(directory: string): Promise<number> {
  return (await readdir(directory)).reduce((highest, name) => Math.max(highest, numberOf(name)), 0);
}

/** 0: it is not a lock. */
function numberOf(name: string): number {
  return name.startsWith(PREFIX) ? Number(/^\d+$/.exec(name.slice(PREFIX.length))?.[0] ?? 0) : 0;
}

/** Cleanup: a later owner removes files that cannot be removed now. */
async function removeOthers(directory: string, held: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const number = numberOf(name);
    const isOld = number > 0 && number < held;
    const isLeft = name.startsWith(STARTING) && !(await isListening(directory, name).catch(() => true));
    if (isOld || isLeft) await unlink(join(directory, name)).catch(() => undefined);
  }
}

/** An owner that ends between the two sides of a connection resets it: the next attempt decides. */
async function isListening(directory: string, name: string): Promise<boolean> {
  const socketPath = await openSocketPath(directory, name);
  try {
    for (let tried = 0; tried < TRIES; tried++) {
      const code = await connectError(socketPath.path);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') return false;
      // EAGAIN: more callers than its queue holds.
      if (code === undefined || code === 'EAGAIN') return true;
    }
    return true;
  } finally {
    await socketPath.close();
  }
}

/** undefined: connected. Rejects with errors that do not describe the listener. */
function connectError(path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (ABOUT_LISTENER.includes(error.code ?? '')) resolve(error.code);
      else reject(error);
    });
  });
}

const ABOUT_LISTENER = ['ECONNREFUSED', 'ENOENT', 'EAGAIN', 'ECONNRESET'];

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.unref();
      resolve();
    });
  });
}

async function close(server: Server, socketPath: SocketPath): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await socketPath.close();
}

function ifMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
