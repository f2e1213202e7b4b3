import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Address, formatAddress } from '../../../runtime/configuration/address.ts';
import type { ListenerTls } from '../syslog/listener-configuration.ts';
import { peerAddress } from '../syslog/peer-address.ts';
import {
  CertificateReload,
  type ReloadEvents,
  type ReloadOptions,
  tlsServerOptions,
} from './certificate-reload.ts';
import type { RequestListener } from './request-listener.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;
const SERVER_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
};

export interface RequestServerEvents extends ReloadEvents {
  listenFailed(event: { readonly listener: string; readonly reason: string }): void;
  tlsFailed(event: { readonly listener: string; readonly peer: string; readonly reason: string }): void;
}

export interface RequestServerOptions extends ReloadOptions {
  readonly address: Address;
  readonly tls: ListenerTls | undefined;
  readonly maxConnections: number;
  readonly events: RequestServerEvents;
  /** Answers a request. Must not reject. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/**
 * A server of HTTP or HTTPS with limits for connections, headers and slow senders. It uses new certificates without a
 * restart.
 */
export class RequestServer implements RequestListener {
  readonly #options: RequestServerOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | TlsServer | undefined;
  #reload: CertificateReload | undefined;

  constructor(options: RequestServerOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async open(): Promise<string> {
    const { tls, maxConnections, address: listenAt, events, listener } = this.#options;
    const handle = (request: IncomingMessage, response: ServerResponse) => this.#handle(request, response);
    const server =
      tls === undefined
        ? createServer(SERVER_OPTIONS, handle)
        : createTlsServer({ ...SERVER_OPTIONS, ...(await tlsServerOptions(tls)) }, handle);
    server.maxConnections = maxConnections;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('tlsClientError', (error, socket) =>
      events.tlsFailed({ listener, peer: peerAddress(socket.remoteAddress) ?? '', reason: error.message }),
    );
    server.listen({ ...listenAt });
    await once(server, 'listening');
    server.on('error', (error) => events.listenFailed({ listener, reason: error.message }));
    this.#server = server;
    if (tls !== undefined) {
      const onContext = (context: Parameters<TlsServer['setSecureContext']>[0]) =>
        (server as TlsServer).setSecureContext(context);
      this.#reload = await CertificateReload.start(tls, this.#options, onContext);
    }
    const { address, port } = server.address() as AddressInfo;
    return formatAddress({ host: address, port });
  }

  async close(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await this.#reload?.stop();
    if (server === undefined) return;
    const closed = once(server, 'close');
    const cutOff = () => {
      server.closeAllConnections();
      for (const socket of this.#sockets) socket.destroy();
    };
    server.close();
    server.closeIdleConnections();
    deadline.addEventListener('abort', cutOff, { once: true });
    if (deadline.aborted) cutOff();
    await closed;
    deadline.removeEventListener('abort', cutOff);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => {});
    response.on('error', () => {});
    // A client that keeps its connection would keep the listener open.
    if (this.#server === undefined) response.setHeader('connection', 'close');
    void this.#options.handle(request, response);
  }
}

/** Before an answer that does not need the rest of the body: the connection cannot be used again. */
export function abandonBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  response.setHeader('connection', 'close');
  request.resume();
}
