import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';

/**
 * - `read`: the normal behaviour.
 * - `read-nothing`: accepts and never reads.
 * - `close-after-each`: closes the connection in order after it has received something.
 * - `reset`: resets the connection after it has received something.
 * - `reset-at-once`: resets each connection without reading.
 * - `half-open`: closes its sending half and continues to read.
 */
export type Behaviour =
  | 'read'
  | 'read-nothing'
  | 'close-after-each'
  | 'reset'
  | 'reset-at-once'
  | 'half-open';

export interface ReceiverPlan {
  readonly behaviour?: Behaviour;
  readonly tls?: TlsOptions;
  /** A Unix socket instead of a port. */
  readonly path?: string;
  readonly port?: number;
  readonly host?: string;
}

/** A server that keeps what it gets, connection by connection, and can behave badly; gone when the test has finished. */
export class StreamReceiver {
  behaviour: Behaviour;
  readonly #chunks: Buffer[][] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(server: Server, behaviour: Behaviour) {
    this.#server = server;
    this.behaviour = behaviour;
  }

  static async start(plan: ReceiverPlan = {}): Promise<StreamReceiver> {
    const options = { allowHalfOpen: true, pauseOnConnect: false };
    const server =
      plan.tls === undefined
        ? createServer(options, (socket) => receiver.#accept(socket))
        : createTlsServer(plan.tls, (socket) => receiver.#accept(socket));
    server.on('tlsClientError', () => {});
    const receiver = new StreamReceiver(server, plan.behaviour ?? 'read');
    if (plan.path === undefined) server.listen(plan.port ?? 0, plan.host ?? '127.0.0.1');
    else server.listen(plan.path);
    await once(server, 'listening');
    onTestFinished(() => receiver.stop());
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What each connection brought. */
  get connections(): Buffer[] {
    return this.#chunks.map((chunks) => {
      if (chunks.length > 1) chunks.splice(0, chunks.length, Buffer.concat(chunks));
      return chunks[0] ?? Buffer.alloc(0);
    });
  }

  /** All that came, over all connections. */
  get received(): Buffer {
    return Buffer.concat(this.connections);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    const chunks: Buffer[] = [];
    this.#chunks.push(chunks);
    this.sockets.push(socket);
    socket.on('error', () => {});
    if (this.behaviour === 'reset-at-once') {
      socket.resetAndDestroy();
      return;
    }
    if (this.behaviour === 'read-nothing') {
      socket.pause();
      return;
    }
    if (this.behaviour === 'half-open') socket.end();
    socket.on('end', () => socket.end());
    socket.on('data', (bytes: Buffer) => {
      chunks.push(bytes);
      if (this.behaviour === 'close-after-each') socket.end();
      if (this.behaviour === 'reset') socket.resetAndDestroy();
    });
  }
}
