import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { type Address, formatAddress } from './address.ts';
import type { Component } from './component.ts';
import type { Health } from './health.ts';

export interface HttpServerOptions {
  readonly address: Address;
  readonly metrics: Registry;
  readonly health: () => Health;
  readonly logger: Logger;
  /** Further routes. */
  readonly routes?: (server: FastifyInstance) => void;
  /** How long a client may take for a request, or be silent while it is answered. */
  readonly clientTimeoutMs?: number;
}

const CLIENT_TIMEOUT_MS = 30_000;
const MAX_BODY_BYTES = 64 * 1024;
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
 * No client can hold it up: headers, bodies and connections are limited, and one that neither sends nor reads is cut off.
 */
export class HttpServer implements Component {
  readonly #options: HttpServerOptions;
  #server: FastifyInstance | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  /** Where it listens; with port 0 in the configuration, the port that was free. undefined: not started. */
  get address(): Address | undefined {
    const found = this.#server?.server.address() as AddressInfo | null | undefined;
    return found ? { host: found.address, port: found.port } : undefined;
  }

  /** Rejects when the address cannot be listened on. */
  async start(): Promise<void> {
    const { address, logger } = this.#options;
    const server = this.#create();
    this.#server = server;
    await server.listen({ host: address.host, port: address.port });
    logger.info({ address: formatAddress(this.address ?? address) }, 'Serving metrics and health');
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const cutOff = () => server.server.closeAllConnections();
    if (deadline.aborted) cutOff();
    deadline.addEventListener('abort', cutOff, { once: true });
    try {
      await server.close();
    } finally {
      deadline.removeEventListener('abort', cutOff);
    }
  }

  #create(): FastifyInstance {
    const { metrics, health, routes, clientTimeoutMs = CLIENT_TIMEOUT_MS } = this.#options;
    const server = fastify({
      bodyLimit: MAX_BODY_BYTES,
      connectionTimeout: clientTimeoutMs,
      requestTimeout: clientTimeoutMs,
      keepAliveTimeout: Math.min(5000, clientTimeoutMs),
      forceCloseConnections: 'idle',
      http: {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: clientTimeoutMs,
        connectionsCheckingInterval: Math.min(5000, clientTimeoutMs),
      },
    });
    server.server.maxConnections = MAX_CONNECTIONS;
    server.get('/metrics', async (_request, reply) => {
      void reply.type(metrics.contentType);
      return await metrics.metrics();
    });
    server.get('/health/live', () => ({ live: true }));
    server.get('/health/ready', (_request, reply) => {
      const { ready, reason } = health();
      void reply.code(ready ? 200 : 503);
      return ready ? { ready } : { ready, reason: reason ?? 'not ready' };
    });
    server.get('/health/progress', (_request, reply) => {
      const { late } = health();
      void reply.code(late.length === 0 ? 200 : 503);
      return { late };
    });
    routes?.(server);
    return server;
  }
}
