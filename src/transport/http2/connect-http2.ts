import type { Socket } from 'node:net';
import { Http2Connection } from '../../protocols/http2/http2-connection.ts';
import type { Http2ConnectionOptions } from '../../protocols/http2/http2-options.ts';
import type { Endpoint } from '../../runtime/configuration/address.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { dialSocket } from './dial-socket.ts';
import { SocketOutput } from './socket-output.ts';
import { socketFailure, watchSocket } from './watch-socket.ts';

/** Connects to a server of HTTP/2. Exactly one of `onConnected` and `onFailed` is called, never during the call. */
export function connectHttp2(options: ConnectHttp2Options): PendingConnection {
  const pending = new PendingConnection(options);
  pending.dial();
  return pending;
}

/** A connection that is being established. */
export class PendingConnection {
  readonly #options: ConnectHttp2Options;
  #cancelDeadline: () => void = () => {};
  #socket: Socket | undefined;
  #connection: Http2Connection | undefined;
  #isOver = false;

  constructor(options: ConnectHttp2Options) {
    this.#options = options;
  }

  dial(): void {
    const { http2, connectTimeoutMs } = this.#options;
    const timeout = `no connection within ${connectTimeoutMs / 1000} s`;
    this.#cancelDeadline = http2.clock.after(connectTimeoutMs, () => this.cancel(timeout));
    try {
      this.#socket = this.#dialSocket();
    } catch (error) {
      queueMicrotask(() => this.cancel(socketFailure(error)));
    }
  }

  /** Ends the attempt if it is not finished. */
  cancel(reason: string): void {
    if (!this.#finish()) return;
    this.#socket?.destroy();
    this.#options.onFailed(reason);
  }

  #dialSocket(): Socket {
    const { endpoint, tls } = this.#options;
    const socket = dialSocket({
      endpoint,
      tls,
      receive: (chunk) => this.#connection?.receive(chunk),
      ready: () => this.#connected(socket),
    });
    watchSocket(socket, (reason) => {
      this.#connection?.disconnected(reason);
      this.cancel(reason);
    });
    return socket;
  }

  #connected(socket: Socket): void {
    if (!this.#finish()) return;
    const { http2, onConnected } = this.#options;
    this.#connection = new Http2Connection({ ...http2, role: 'client', output: new SocketOutput(socket) });
    onConnected(this.#connection);
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#cancelDeadline();
    return true;
  }
}

export interface ConnectHttp2Options {
  readonly endpoint: Endpoint;
  /** undefined: plain text. */
  readonly tls: TlsMaterial | undefined;
  /** Name resolution, connection and TLS handshake together. */
  readonly connectTimeoutMs: number;
  readonly http2: Omit<Http2ConnectionOptions, 'role' | 'output' | 'onStream'>;
  readonly onConnected: (connection: Http2Connection) => void;
  readonly onFailed: (reason: string) => void;
}
