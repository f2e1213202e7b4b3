import { onTestFinished } from 'vitest';
import { type ApiOptions, createApi } from '../../../src/aggregator/api/api.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { formatAddress } from '../../../src/runtime/configuration/address.ts';
import { HttpServer, type HttpServerOptions } from '../../../src/runtime/http/http-server.ts';
import { createMetrics } from '../../../src/runtime/metrics.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { fakeQueue } from './fake-queue.ts';
import { fakeStore } from './fake-store.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** undefined: empty. */
  readonly body: unknown;
}

/** The API at a real address, over a store (default: a fake one). */
export async function servedApi(
  options: Partial<ApiOptions> = {},
  serverOptions: Partial<HttpServerOptions> = {},
) {
  const { logger, lines } = capturedLogger();
  const metrics = createMetrics({ prefix: 'aggregator_', version: '1.2.3' });
  const listenAddress = { host: '127.0.0.1', port: 0 };
  const store = fakeStore();
  const queue = fakeQueue();
  const api = createApi({
    store: () => store,
    queue: () => queue,
    configuredEmitters: new Set(['file']),
    deadLettersDiscarded: () => {},
    entrySkipped: () => {},
    filters: () => undefined,
    token: undefined,
    listenAddress,
    clock: systemClock,
    logger,
    metrics,
    ...options,
  });
  const server = new HttpServer({
    address: listenAddress,
    metrics,
    health: () => ({ ready: true, late: [] }),
    logger,
    mounts: [api.network],
    ...serverOptions,
  });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  const { address } = server;
  if (address === undefined) throw new Error('not listening');
  const url = (path: string) => `http://${formatAddress(address)}${path}`;
  const ask = async (path: string, init: RequestInit = {}): Promise<ApiAnswer> => {
    const response = await fetch(url(path), init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  };
  const post = (path: string, body: unknown) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { api, server, address, store, queue, lines, metrics, url, ask, post };
}
