import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../../testkit/random.ts';

/**
 * - `fair`: everything passes.
 * - `cutting`: a connection breaks after some bytes of the client, at any point.
 * - `forgetful`: a COMMIT, or an INSERT over HTTP, reaches the server, but its answer does not reach the client; then
 * the connection breaks.
 * - `becalmed`: connections stay open, and nothing passes.
 */
export type Weather = 'fair' | 'cutting' | 'forgetful' | 'becalmed';

const MAX_BYTES_BEFORE_CUT = 400_000;
/** PostgreSQL's simple query message with the first word of statements that end a transaction, or a request of ClickHouse. */
const COMMIT = /Q.{4}\s*commit|^POST \S*insert(?:\+|%20)into/is;
const MAX_SILENCE_MS = 400;

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes of the client until the connection breaks; only used with the weather `cutting`. */
  bytesLeft: number;
  isSilent: boolean;
}

/** A proxy before a database server, on its own port. */
export class UnreliableProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #random: Random;
  readonly #connections = new Set<Connection>();
  #weather: Weather = 'fair';

  private constructor(server: Server, random: Random) {
    this.#server = server;
    this.#random = random;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(targetPort: number, random: Random): Promise<UnreliableProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new UnreliableProxy(server, random);
    server.on('connection', (client) => proxy.#join(client, connect(targetPort, '127.0.0.1')));
    return proxy;
  }

  get weather(): Weather {
    return this.#weather;
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    for (const connection of this.#connections) {
      connection.bytesLeft = this.#newBudget();
      if (weather === 'becalmed') pause(connection);
      else resume(connection);
    }
  }

  stop(): void {
    for (const connection of this.#connections) this.#break(connection);
    this.#server.close();
  }

  #newBudget(): number {
    return this.#random.between(1, MAX_BYTES_BEFORE_CUT);
  }

  #join(client: Socket, server: Socket): void {
    const connection: Connection = { client, server, bytesLeft: this.#newBudget(), isSilent: false };
    this.#connections.add(connection);
    for (const socket of [client, server]) {
      socket.on('error', () => {});
      socket.on('close', () => this.#break(connection));
    }
    client.on('data', (bytes) => this.#fromClient(connection, bytes));
    client.on('drain', () => this.#mayGoOn(server));
    server.on('data', (bytes) => {
      if (!connection.isSilent && !client.write(bytes)) server.pause();
    });
    server.on('drain', () => this.#mayGoOn(client));
    if (this.#weather === 'becalmed') pause(connection);
  }

  #fromClient(connection: Connection, bytes: Buffer): void {
    const { client, server } = connection;
    if (this.#weather === 'cutting') {
      const passing = bytes.subarray(0, connection.bytesLeft);
      connection.bytesLeft -= bytes.length;
      // Forwarded bytes must arrive before the break.
      if (connection.bytesLeft <= 0) {
        server.write(passing, () => this.#break(connection));
        return;
      }
    }
    if (this.#weather === 'forgetful' && !connection.isSilent && COMMIT.test(bytes.toString('latin1'))) {
      connection.isSilent = true;
      setTimeout(() => this.#break(connection), this.#random.between(10, MAX_SILENCE_MS));
    }
    if (!server.write(bytes)) client.pause();
  }

  #mayGoOn(socket: Socket): void {
    if (this.#weather !== 'becalmed') socket.resume();
  }

  #break(connection: Connection): void {
    this.#connections.delete(connection);
    connection.client.destroy();
    connection.server.destroy();
  }
}

function pause({ client, server }: Connection): void {
  client.pause();
  server.pause();
}

function resume({ client, server }: Connection): void {
  client.resume();
  server.resume();
}
