import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { type Address, formatAddress } from './address.ts';
import type { Component } from './component.ts';
import type { Health } from './health.ts';
import { listenError } from './listen-error.ts';

export interface HttpServerOptions {
  readonly address: Address;
  readonly metrics: Registry;
  readonly health: () => Health;
  readonly logger: Logger;
  /** Further routes, by path; answered to GET. */
  readonly routes?: Readonly<Record<string, () => HttpAnswer | Promise<HttpAnswer>>>;
  /** How long a client may take for a request, or be silent while it is answered. */
  readonly clientTimeoutMs?: number;
}

export interface HttpAnswer {
  /** Default: 200. */
  readonly status?: number;
  /** Default: JSON. */
  readonly contentType?: string;
  readonly body: string;
}

const CLIENT_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 256;

/**
 * Metrics and health of a half:
 *
 *     /metrics           Prometheus' text format
 *     /health/live       200 as long as the loop turns
 *     /health/ready      200 when it can take data, else 503 with the reason: traffic follows it
 *     /health/progress   200 when nothing is late, else 503 with the list of what is: alerts follow it
 *
 * No client can hold it up: headers and connections are limited, bodies are not read, and one that neither sends nor
 * reads is cut off. Node's own server: a framework would be the largest thing in a collector's memory.
 */
export class HttpServer implements Component {
  readonly #options: HttpServerOptions;
  readonly #routes: NonNullable<HttpServerOptions['routes']>;
  #server: Server | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    const { metrics, health } = options;
    this.#routes = {
      '/metrics': async () => ({ contentType: metrics.contentType, body: await metrics.metrics() }),
      '/health/live': () => json({ live: true }),
      '/health/ready': () => {
        const { ready, reason = 'not ready' } = health();
        return ready ? json({ ready }) : json({ ready, reason }, 503);
      },
      '/health/progress': () => {
        const { late } = health();
        return json({ late }, late.length === 0 ? 200 : 503);
      },
      ...options.routes,
    };
  }

  /** Where it listens; with port 0 in the configuration, the port that was free. undefined: not started. */
  get address(): Address | undefined {
    const found = this.#server?.address() as AddressInfo | null | undefined;
    return found ? { host: found.address, port: found.port } : undefined;
  }

  /** Rejects when the address cannot be listened on. */
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

  async stop(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const cutOff = () => server.closeAllConnections();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    if (deadline.aborted) cutOff();
    deadline.addEventListener('abort', cutOff, { once: true });
    await closed;
    deadline.removeEventListener('abort', cutOff);
  }

  #create(): Server {
    const { clientTimeoutMs = CLIENT_TIMEOUT_MS } = this.#options;
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: clientTimeoutMs,
        requestTimeout: clientTimeoutMs,
        keepAliveTimeout: Math.min(5000, clientTimeoutMs),
        connectionsCheckingInterval: Math.min(5000, clientTimeoutMs),
      },
      (request, response) => void this.#answer(request, response),
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.setTimeout(clientTimeoutMs, (socket) => socket.destroy());
    return server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answerTo(request).catch((error: unknown) => {
      this.#options.logger.error({ err: error, url: request.url }, 'An HTTP request could not be answered');
      return json({ error: 'internal error' }, 500);
    });
    response.writeHead(answer.status ?? 200, {
      'content-type': answer.contentType ?? 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(answer.body),
      // A body that nobody reads must not be taken for the next request.
      ...(hasBody(request) && { connection: 'close' }),
    });
    response.end(request.method === 'HEAD' ? undefined : answer.body);
  }

  async #answerTo({ method, url = '/' }: IncomingMessage): Promise<HttpAnswer> {
    const path = url.split('?', 1)[0] ?? '/';
    const route = Object.hasOwn(this.#routes, path) ? this.#routes[path] : undefined;
    if (route === undefined) return json({ error: 'there is nothing here' }, 404);
    if (method !== 'GET' && method !== 'HEAD') return json({ error: 'only GET is answered here' }, 405);
    return await route();
  }
}

function json(value: unknown, status = 200): HttpAnswer {
  return { status, body: JSON.stringify(value) };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
