import { createHash } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isHeldByOwnUser } from './abstract-socket-owner.ts';

/**
 * Prevents a second writer of an output file. The lock is a listening socket whose name is derived from the
 * path of the file: the operating system releases it when the process ends, so there are no stale locks. A
 * client that connects receives the name of the holder.
 *
 * On Linux the socket name is abstract (no file) and visible within one network namespace: two containers
 * that share a volume do not see each other's locks. On other systems it is a socket file in the temporary
 * directory.
 *
 * Any user of the machine can listen at an abstract name. A name that only another user holds does not stop the emitter:
 * the lock is then `unprotected`, and two writers of one user would not see each other.
 */
export class FileLock {
  /** Another user of the machine holds the name. */
  readonly isUnprotected: boolean;
  readonly #server: Server;

  private constructor(server: Server, isUnprotected: boolean) {
    this.#server = server;
    this.isUnprotected = isUnprotected;
  }

  /** `holder`: a name for operators. Throws with the name of the current holder if the lock is held. */
  static async acquire(path: string, holder: string): Promise<FileLock> {
    const name = await socketName(path);
    const server = createServer((connection) => {
      connection.on('error', () => {});
      connection.end(holder, () => connection.destroy());
    });
    if (!(await listens(server, name))) {
      const other = await holderOf(name);
      // A killed process leaves its socket file; connecting to it fails.
      const isLeft = other === undefined && !name.startsWith('\0');
      if (isLeft) await rm(name, { force: true });
      if (name.startsWith('\0') && !(await isHeldByOwnUser(name.slice(1)))) return new FileLock(server, true);
      if (!isLeft || !(await listens(server, name))) {
        throw new Error(`another writer has ${path} open: ${other ?? 'unknown holder'}`);
      }
    }
    server.unref();
    return new FileLock(server, false);
  }

  /** Frees the name immediately; open connections still complete. */
  release(): void {
    this.#server.close();
  }
}

async function socketName(path: string): Promise<string> {
  const key = join(await realpath(dirname(path)), basename(path));
  const name = `mega-collector-file-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}

/** Returns false if the name is in use. */
function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    };
    server.once('error', onError);
    server.listen(path, () => {
      server.removeListener('error', onError);
      resolve(true);
    });
  });
}

const ANSWER_TIMEOUT_MS = 1000;
const MAX_ANSWER_CHARACTERS = 200;

/** Returns the name of the holder; undefined if none is listening. */
function holderOf(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer: string | undefined;
    const connection = createConnection({ path: name, timeout: ANSWER_TIMEOUT_MS });
    connection.setEncoding('utf8');
    connection.on('connect', () => {
      answer = '';
    });
    connection.on('data', (text: string) => {
      answer = `${answer ?? ''}${text}`.slice(0, MAX_ANSWER_CHARACTERS);
    });
    connection.on('timeout', () => connection.destroy());
    connection.on('error', () => {});
    connection.on('close', () => resolve(answer));
  });
}
