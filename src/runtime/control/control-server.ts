import { chmod, lstat, unlink } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { HttpHandler } from '../http/http-contract.ts';
import { HttpListener } from '../http/http-listener.ts';
import { CONTROL_SOCKET_NAME, connectControlSocket, openControlSocketPath } from './control-socket.ts';
import type { SocketPath } from './socket-path.ts';

/** A command line holds the ids of a selection. */
const MAX_BODY_BYTES = 1024 * 1024;
const CONNECTIONS = { room: 32, reserve: 8 };

/**
 * HTTP on `control.sock` in a state directory, for the owner of the state: the socket has mode 0600, so only
 * the user of the process and root can connect. A leftover socket of a killed process is replaced; any other
 * file at its place is an error.
 *
 * Limits: 1 MiB for a body, 32 clients, 30 seconds for a client to send or to read.
 */
export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #listener: HttpListener;
  readonly #running = new Set<Promise<unknown>>();
  #socketPath: SocketPath | undefined;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#listener = new HttpListener({
      ...options,
      handle: (request) => this.#tracked(options.handle, request),
      connections: CONNECTIONS,
      maxBodyBytes: MAX_BODY_BYTES,
    });
  }

  async start(): Promise<void> {
    const { directory } = this.#options;
    const socketPath = await openControlSocketPath(directory);
    try {
      await removeStale(directory, socketPath.path);
      await this.#listen(socketPath.path);
    } catch (error) {
      await socketPath.close();
      throw error;
    }
    this.#socketPath = socketPath;
  }

  /**
   * Streams end at once; clients have until the deadline for their answers. Waits for running handlers
   * without a limit: they use the state, which is closed next.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    await this.#listener.stop(deadline);
    await Promise.allSettled(this.#running);
    await this.#socketPath?.close();
    this.#socketPath = undefined;
  }

  async #listen(path: string): Promise<void> {
    // The socket is created with the rights of the mask: it is never accessible to other users.
    const mask = process.umask(0o177);
    let listening: Promise<void>;
    try {
      listening = this.#listener.listen({ path });
    } finally {
      process.umask(mask);
    }
    await listening;
    await chmod(path, 0o600);
  }

  #tracked(handle: HttpHandler, request: Parameters<HttpHandler>[0]): ReturnType<HttpHandler> {
    const answer = (async () => await handle(request))();
    const done = answer.catch(() => {}).finally(() => this.#running.delete(done));
    this.#running.add(done);
    return answer;
  }
}

export interface ControlServerOptions {
  /** The state directory; it exists, and this process owns it. */
  readonly directory: string;
  readonly handle: HttpHandler;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Maximum time for a client to send a request, or to read nothing of its answer. */
  readonly clientTimeoutMs?: number;
}

async function removeStale(directory: string, path: string): Promise<void> {
  const node = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (node === undefined) return;
  if (!node.isSocket()) {
    throw new Error(
      `Cannot create ${CONTROL_SOCKET_NAME} in ${directory}: a file that is not a socket is there. Move it away.`,
    );
  }
  const owner = await connectControlSocket(directory);
  if (owner === undefined) {
    await unlink(path);
    return;
  }
  owner.destroy();
  throw new Error(
    `Cannot create ${CONTROL_SOCKET_NAME} in ${directory}: another process is listening on it. Stop that process.`,
  );
}
