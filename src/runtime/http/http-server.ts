import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { type Clock, systemClock } from '../clock.ts';
import type { Component } from '../component.ts';
import { type Address, formatAddress } from '../configuration/address.ts';
import { listenError } from '../listen-error.ts';
import { LimitedLog } from '../logging/limited-log.ts';
import type { Health } from './health.ts';
import { HttpConnections } from './http-connections.ts';
import type { HttpAnswer, HttpHandler, HttpMount, HttpRoute } from './http-contract.ts';
import { HttpExchange } from './http-exchange.ts';
import { routed } from './http-router.ts';

/**
 * Metrics and health of a role:
 *
 *     /metrics           Prometheus' text format
 *     /health/live       200 while the event loop is running
 *     /health/ready      200 when it can accept data, else 503 with the reason: for load balancers
 *     /health/progress   200 when nothing is late, else 503 with the list of late parts: for alerts
 *
 * and the given routes and mounts (`/v1`).
 *
 * No client can block it: headers, bodies and connections are limited, and a client that neither sends nor
 * reads is disconnected. It is Node's own server: a framework would be the largest part of a collector's
 * memory.
 */
export class HttpServer implements Component {
  readonly #options: HttpServerOptions;
  readonly #handler: HttpHandler;
  readonly #log: LimitedLog;
  readonly #exchanges = new Set<HttpExchange>();
  #server: Server | undefined;
  #isStopping = false;

  constructor(options: HttpServerOptions) {
    const { routes = [], mounts = [] } = options;
    this.#options = options;
    this.#log = new LimitedLog(options.logger, options.clock ?? systemClock);
    const otherwise = routed([...this.#ownRoutes(), ...routes]);
    this.#handler = (request) => {
      const mount = mounts.find(({ prefix }) => `${request.path}/`.startsWith(`${prefix}/`));
      return (mount?.handler ?? otherwise)(request);
    };
  }

  /** The listen address; with port 0 in the configuration, the assigned port. undefined: not started. */
  get address(): Address | undefined {
    const found = this.#server?.address() as AddressInfo | null | undefined;
    return found ? { host: found.address, port: found.port } : undefined;
  }

  /** Rejects when it cannot listen at the address. */
  async start(): Promise<void> {
    const { address, logger } = this.#options;
    const server = this.#create();
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(listenError('metrics and health', formatAddress(address), error)),
      );
      server.listen(address.port, address.host, resolve);
    });
    this.#server = server;
    logger.info({ address: formatAddress(this.address ?? address) }, 'Serving metrics and health');
  }

  /** Streams end at once; current requests have until the deadline. */
  async stop(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#isStopping = true;
    const cutOff = () => server.closeAllConnections();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    for (const exchange of this.#exchanges) exchange.end();
    if (deadline.aborted) cutOff();
    deadline.addEventListener('abort', cutOff, { once: true });
    await closed;
    deadline.removeEventListener('abort', cutOff);
    this.#log.flush();
  }

  #create(): Server {
    const { clientTimeoutMs = CLIENT_TIMEOUT_MS } = this.#options;
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
    new HttpConnections(CONNECTIONS).watch(server);
    server.setTimeout(clientTimeoutMs, (socket) => socket.destroy());
    return server;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = new HttpExchange(request, response, this.#log);
    this.#exchanges.add(exchange);
    response.once('close', () => this.#exchanges.delete(exchange));
    if (this.#isStopping) exchange.end();
    await exchange.handle(this.#handler);
  }

  #ownRoutes(): readonly HttpRoute[] {
    const { metrics, health } = this.#options;
    const get = (path: string, answer: HttpRoute['handle']): HttpRoute => ({
      method: 'GET',
      path,
      handle: answer,
    });
    return [
      get('/metrics', async () => ({ contentType: metrics.contentType, body: await metrics.metrics() })),
      get('/health/live', () => json({ live: true })),
      get('/health/ready', () => {
        const { ready, reason = 'not ready' } = health();
        return ready ? json({ ready }) : json({ ready, reason }, 503);
      }),
      get('/health/progress', () => {
        const { late } = health();
        return json({ late }, late.length === 0 ? 200 : 503);
      }),
    ];
  }
}

export interface HttpServerOptions {
  readonly address: Address;
  readonly metrics: Registry;
  readonly health: () => Health;
  readonly logger: Logger;
  /** Additional routes. */
  readonly routes?: readonly HttpRoute[];
  readonly mounts?: readonly HttpMount[];
  readonly clock?: Clock;
  /** Maximum time for a client to send a request, or to be silent while it is answered. */
  readonly clientTimeoutMs?: number;
}

const CLIENT_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS = { room: 256, reserve: 64 };

function json(value: unknown, status = 200): HttpAnswer {
  return { status, body: JSON.stringify(value) };
}
