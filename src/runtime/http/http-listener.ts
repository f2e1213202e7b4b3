import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../clock.ts';
import { LimitedLog } from '../logging/limited-log.ts';
import { HttpConnections, type HttpConnectionsOptions } from './http-connections.ts';
import type { HttpHandler } from './http-contract.ts';
import { HttpExchange } from './http-exchange.ts';

const CLIENT_TIMEOUT_MS = 30_000;
const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;

/**
 * HTTP at one address or Unix socket. No client can block it: headers, bodies and connections are limited,
 * and a client that neither sends nor reads is disconnected. It is Node's own server: a framework would be
 * the largest part of a collector's memory.
 */
export class HttpListener {
  readonly #options: HttpListenerOptions;
  readonly #log: LimitedLog;
  readonly #exchanges = new Map<HttpExchange, IncomingMessage>();
  #server: Server | undefined;
  #isStopping = false;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#log = new LimitedLog(options.logger, options.clock ?? systemClock);
  }

  /** undefined: it does not listen at a network address. */
  get address(): AddressInfo | undefined {
    const found = this.#server?.address();
    return typeof found === 'object' && found !== null ? found : undefined;
  }

  /** Rejects with the system's error when it cannot listen. */
  async listen(target: ListenOptions): Promise<void> {
    const server = this.#create();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(target, resolve);
    });
    this.#server = server;
  }

  /** Streams end at once; current requests have until the deadline. */
  async stop(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#isStopping = true;
    const cutOff = () => server.closeAllConnections();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    for (const exchange of this.#exchanges.keys()) exchange.end();
    if (deadline.aborted) cutOff();
    deadline.addEventListener('abort', cutOff, { once: true });
    await closed;
    deadline.removeEventListener('abort', cutOff);
    this.#log.flush();
  }

  #create(): Server {
    const { clientTimeoutMs = CLIENT_TIMEOUT_MS, connections } = this.#options;
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: Math.min(HEADERS_TIMEOUT_MS, clientTimeoutMs),
        requestTimeout: clientTimeoutMs,
        keepAliveTimeout: Math.min(5000, clientTimeoutMs),
        connectionsCheckingInterval: Math.min(5000, clientTimeoutMs),
      },
      (request, response) => void this.#handle(request, response),
    );
    new HttpConnections(connections).watch(server);
    server.setTimeout(clientTimeoutMs, (socket) => {
      // A client that waits for a slow handler is silent for a good reason.
      const isWaiting = [...this.#exchanges].some(
        ([exchange, incoming]) => incoming.socket === socket && exchange.isAwaitingAnswer,
      );
      if (!isWaiting) socket.destroy();
    });
    return server;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { maxBodyBytes = MAX_BODY_BYTES, handle } = this.#options;
    const exchange = new HttpExchange(request, response, { log: this.#log, maxBodyBytes });
    this.#exchanges.set(exchange, request);
    response.once('close', () => this.#exchanges.delete(exchange));
    if (this.#isStopping) exchange.end();
    await exchange.handle(handle);
  }
}

export interface HttpListenerOptions {
  readonly handle: HttpHandler;
  readonly connections: HttpConnectionsOptions;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Default: 64 KiB. */
  readonly maxBodyBytes?: number;
  /** Maximum time for a client to send a request, or to read nothing of its answer. */
  readonly clientTimeoutMs?: number;
}
