import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpConnectionsOptions {
  /** With more connections than this, those that wait for a request are closed. */
  readonly room: number;
  /** Connections beyond `room`, while none of them waits for a request. */
  readonly reserve: number;
}

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** The request that is being answered. */
  request: IncomingMessage | undefined;
}

/**
 * Keeps room for those that have a request. A client may open as many connections as it likes and send half of a request on
 * each, or nothing: when there are too many, the oldest such connection of the address with the most of them is closed.
 * So a probe of the health is answered, whatever else is connected.
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

/** Nothing of a request has come, or not its end: what is to be answered is not known. */
function isWaiting({ request }: Connection): boolean {
  return request === undefined || !request.complete;
}
