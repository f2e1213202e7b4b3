import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Json } from '../../records/json.ts';
import { connectControl } from './control-client.ts';
import { ControlError } from './control-error.ts';
import { type ControlRequest, type ControlResponse, jsonLines, writeLine } from './control-lines.ts';
import { openControlSocketPath } from './control-socket.ts';

/**
 * Serves commands for the process that owns a state directory: `control.sock` in it, a Unix socket that only
 * its user may open (0600). Each request and each answer is one line of JSON.
 *
 *     {"command":"dead-letters.list","input":{"emitter":"file"}}
 *     {"ok":true,"value":[...]}    or    {"ok":false,"kind":"not-found","message":"..."}
 *
 * Limits: a request of 1 MiB, 32 clients, 30 seconds for a client to send or to read. The next line is read
 * after the previous one was answered. A leftover socket of a killed process is removed; any other file is
 * not touched, and is an error.
 */
export interface ControlOptions {
  /** Exists already. */
  readonly directory: string;
  readonly handlers: ControlHandlers;
  readonly logger: Logger;
  /** Maximum time for a client to send a request or to read the answer. */
  readonly clientTimeoutMs?: number;
}

/** By command. Errors are returned to the client: a ControlError with its kind, others as `failed`. */
export type ControlHandlers = Readonly<Record<string, (input: Json) => Promise<Json>>>;

const MAX_REQUEST_BYTES = 1024 * 1024;
const MAX_CLIENTS = 32;
const CLIENT_TIMEOUT_MS = 30_000;
const LAST_ANSWER_TIMEOUT_MS = 1000;

/** Resolves when it accepts commands. `close` waits for running commands. */
export async function serveControl(options: ControlOptions): Promise<{ close(): Promise<void> }> {
  const socketPath = await openControlSocketPath(options.directory);
  const clients = new Set<Client>();
  const server = createServer((socket) => {
    const client = new Client(socket, options);
    clients.add(client);
    void client.serve().finally(() => clients.delete(client));
  });
  server.maxConnections = MAX_CLIENTS;
  try {
    await removeStale(options.directory, socketPath.path);
    await listenForOwner(server, socketPath.path);
  } catch (error) {
    await socketPath.close();
    throw error;
  }
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...clients].map((client) => client.end()));
      await closed;
      await socketPath.close();
    },
  };
}

async function removeStale(directory: string, path: string): Promise<void> {
  const node = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (node === undefined) return;
  if (!node.isSocket()) throw new Error(`control.sock in ${directory} is not a socket. Move it away.`);
  const owner = await connectControl(directory);
  if (owner === undefined) {
    await unlink(path);
    return;
  }
  owner.destroy();
  throw new Error(`Another process answers commands for ${directory}`);
}

async function listenForOwner(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // `listen` creates the socket with the rights of the mask: it is never accessible to other users.
    const mask = process.umask(0o177);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(mask);
    }
  });
  await chmod(path, 0o600);
}

/** One connection. */
class Client {
  readonly #socket: Socket;
  readonly #options: ControlOptions;
  /** A handler is running: the client may be silent. */
  #handling = false;
  /** A request is being handled or answered. */
  #busy = false;
  #ending = false;
  #served: Promise<void> = Promise.resolve();

  constructor(socket: Socket, options: ControlOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('error', () => {});
    socket.setTimeout(options.clientTimeoutMs ?? CLIENT_TIMEOUT_MS, () => {
      if (!this.#handling) socket.destroy();
    });
  }

  /** Never rejects: a client can only affect its own connection. */
  serve(): Promise<void> {
    this.#served = this.#answerAll()
      .catch(async (error: unknown) => {
        if (error instanceof ControlError) await writeLine(this.#socket, failure(error.kind, error.message));
      })
      .finally(() => this.#socket.destroy());
    return this.#served;
  }

  /** Resolves when the current request is answered; at once without one. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#socket.setTimeout(LAST_ANSWER_TIMEOUT_MS);
    if (!this.#busy) this.#socket.destroy();
    await this.#served;
  }

  async #answerAll(): Promise<void> {
    for await (const line of jsonLines(this.#socket, MAX_REQUEST_BYTES)) {
      this.#busy = true;
      this.#handling = true;
      const response = await this.#answer(line);
      this.#handling = false;
      await writeLine(this.#socket, response);
      this.#busy = false;
      if (this.#ending) return;
    }
  }

  async #answer(line: Json): Promise<ControlResponse> {
    const request = requestOf(line);
    if (request === undefined) return failure('invalid-request', 'Expected {"command": "...", "input": ...}');
    const { command, input } = request;
    const { handlers, logger } = this.#options;
    const handler = Object.hasOwn(handlers, command) ? handlers[command] : undefined;
    if (handler === undefined) {
      return failure(
        'unknown-command',
        'The running process does not support this command; it may be of another version',
      );
    }
    try {
      return { ok: true, value: await handler(input) };
    } catch (error) {
      if (error instanceof ControlError) return failure(error.kind, error.message);
      logger.error({ err: error, command }, 'A control command failed');
      return failure('failed', error instanceof Error ? error.message : String(error));
    }
  }
}

function requestOf(line: Json): ControlRequest | undefined {
  if (typeof line !== 'object' || line === null) return undefined;
  const { command, input } = line as { readonly [key: string]: Json | undefined };
  return typeof command === 'string' && input !== undefined ? { command, input } : undefined;
}

function failure(kind: string, message: string): ControlResponse {
  return { ok: false, kind, message };
}

export { type ControlAnswer, callControl } from './control-client.ts';
export { ControlError } from './control-error.ts';
