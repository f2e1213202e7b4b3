import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps connections free for clients with a request. A client may open any number of connections and send
 * half of a request or nothing: when there are too many, it closes the oldest idle connection of the address
 * with the most of them. So a health probe is always answered.
 */
export class HttpConnections {
  readonly #options: HttpConnectionsOptions;
  /** The oldest first. */
  readonly #connections = new Map<Socket, Connection>();

  constructor(options: HttpConnectionsOptions) {
    this.#options = options;
  }

  watch(server: Server): void {
    server.maxConnections = this.#options.room + this.#options.reserve;
    server.on('connection', (socket: Socket) => this.#connected(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#requested(request, response),
    );
  }

  #connected(socket: Socket): void {
    this.#connections.set(socket, { socket, address: socket.remoteAddress ?? '', request: undefined });
    socket.once('close', () => this.#connections.delete(socket));
    if (this.#connections.size > this.#options.room) this.#victim(socket)?.destroy();
  }

  #requested(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return;
    connection.request = request;
    response.once('close', () => {
      if (connection.request === request) connection.request = undefined;
    });
  }

  #victim(newest: Socket): Socket | undefined {
    const waiting = [...this.#connections.values()].filter(
      (connection) => connection.socket !== newest && isWaiting(connection),
    );
    const counts = new Map<string, number>();
    for (const { address } of waiting) counts.set(address, (counts.get(address) ?? 0) + 1);
    const most = Math.max(0, ...counts.values());
    return waiting.find(({ address }) => counts.get(address) === most)?.socket;
  }
}

export interface HttpConnectionsOptions {
  /** Above this number, connections that wait for a request are closed. */
  readonly room: number;
  /** Connections above `room` while none of them waits for a request. */
  readonly reserve: number;
}

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** The current request. */
  request: IncomingMessage | undefined;
}

/** The request has not arrived completely. */
function isWaiting({ request }: Connection): boolean {
  return request === undefined || !request.complete;
}
