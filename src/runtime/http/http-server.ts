import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Component } from '../component.ts';
import { type Address, formatAddress } from '../configuration/address.ts';
import { listenError } from '../listen-error.ts';
import type { Health } from './health.ts';
import type { HttpAnswer, HttpHandler, HttpMount, HttpRequest, HttpRoute } from './http-contract.ts';
import { HttpListener } from './http-listener.ts';
import { routed } from './http-router.ts';

/**
 * Metrics and health of a role:
 *
 *     /metrics           Prometheus' text format
 *     /health/live       200 while the event loop is running
 *     /health/ready      200 when it can accept data, else 503 with the reason: for load balancers
 *     /health/progress   200 when nothing is late, else 503 with the list of late parts: for alerts
 *
 * the given mounts (`/v1`), and for all other paths the fallback, if there is one.
 */
export class HttpServer implements Component {
  readonly #options: HttpServerOptions;
  readonly #listener: HttpListener;

  constructor(options: HttpServerOptions) {
    const { logger, clock, clientTimeoutMs } = options;
    this.#options = options;
    this.#listener = new HttpListener({
      handle: this.#handler(),
      connections: CONNECTIONS,
      logger,
      ...(clock !== undefined && { clock }),
      ...(clientTimeoutMs !== undefined && { clientTimeoutMs }),
    });
  }

  /** The listen address; with port 0 in the configuration, the assigned port. undefined: not started. */
  get address(): Address | undefined {
    const found = this.#listener.address;
    return found === undefined ? undefined : { host: found.address, port: found.port };
  }

  /** Rejects when it cannot listen at the address. */
  async start(): Promise<void> {
    const { address, addressVariable, logger } = this.#options;
    await this.#listener.listen({ ...address }).catch((error: NodeJS.ErrnoException) => {
      const place = { purpose: 'metrics and health', address: formatAddress(address) };
      throw listenError({ ...place, variable: addressVariable }, error);
    });
    logger.info({ address: formatAddress(this.address ?? address) }, 'Serving metrics and health');
  }

  /** Streams end at once; current requests have until the deadline. */
  stop(deadline: AbortSignal): Promise<void> {
    return this.#listener.stop(deadline);
  }

  #handler(): HttpHandler {
    const { mounts = [], fallback } = this.#options;
    const routes = this.#ownRoutes();
    const own = routed(routes);
    const otherwise = ({ path }: HttpRequest) =>
      fallback === undefined || routes.some((route) => route.path === path) ? own : fallback;
    return (request) => {
      const mount = mounts.find(({ prefix }) => `${request.path}/`.startsWith(`${prefix}/`));
      return (mount?.handle ?? otherwise(request))(request);
    };
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
  /** For the error of a failed start. */
  readonly addressVariable?: string;
  readonly metrics: Registry;
  readonly health: () => Health;
  readonly logger: Logger;
  readonly mounts?: readonly HttpMount[];
  /** Handles each path that neither this server nor a mount has. */
  readonly fallback?: HttpHandler;
  readonly clock?: Clock;
  /** Maximum time for a client to send a request, or to read nothing of its answer. */
  readonly clientTimeoutMs?: number;
}

const CONNECTIONS = { room: 256, reserve: 64 };

function json(value: unknown, status = 200): HttpAnswer {
  return { status, body: JSON.stringify(value) };
}
