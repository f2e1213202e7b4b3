import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TlsMaterial } from '../../../src/runtime/tls.ts';

export interface AskedRequest {
  /** `GET /v1/metrics` */
  readonly route: string;
  /** As in the URL, decoded: `from=1h&where=a=b`. */
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** Answered as JSON; a function writes the answer itself. */
export type FakeAnswer =
  | { readonly status?: number; readonly json: unknown }
  | ((response: ServerResponse, request: AskedRequest) => void);

export type FakeRoutes = Record<string, FakeAnswer | readonly FakeAnswer[]>;

/**
 * Answers requests like the aggregator's API, with the answers of a test. The entries of a list are returned
 * once each, the last one repeatedly.
 */
export class FakeAggregator {
  readonly requests: AskedRequest[] = [];
  readonly #routes: FakeRoutes;
  readonly #server: Server;
  #scheme = 'http';

  constructor(routes: FakeRoutes, tls?: TlsMaterial) {
    this.#routes = { ...routes };
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    };
    this.#server =
      tls === undefined
        ? createServer(answer)
        : createTlsServer({ cert: tls.certificate, key: tls.key }, answer);
    if (tls !== undefined) this.#scheme = 'https';
  }

  static async start(routes: FakeRoutes, tls?: TlsMaterial): Promise<FakeAggregator> {
    const aggregator = new FakeAggregator(routes, tls);
    await aggregator.listen();
    onTestFinished(() => aggregator.close());
    return aggregator;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  set(route: string, answer: FakeAnswer): void {
    this.#routes[route] = answer;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://fake');
    const asked: AskedRequest = {
      route: `${request.method} ${pathname}`,
      query: [...searchParams].map(([name, value]) => `${name}=${value}`).join('&'),
      headers: request.headers,
      body: await bodyOf(request),
    };
    this.requests.push(asked);
    const answer = this.#next(asked.route);
    if (typeof answer === 'function') return answer(response, asked);
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json; charset=utf-8' });
    response.end(answer.status === 204 ? undefined : JSON.stringify(answer.json));
  }

  #next(route: string): FakeAnswer {
    const answers = this.#routes[route];
    if (answers === undefined) return { status: 404, json: { error: 'there is nothing here' } };
    if (!Array.isArray(answers)) return answers as FakeAnswer;
    const [first, ...rest] = answers as readonly FakeAnswer[];
    if (first === undefined) throw new Error('an answer is needed');
    if (rest.length > 0) this.#routes[route] = rest;
    return first;
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : JSON.parse(text);
}

/** As the API refuses. */
export function refused(
  status: number,
  message: string,
  problems?: readonly { path: string; message: string }[],
): FakeAnswer {
  return { status, json: { error: { code: 'some-code', message, ...(problems && { problems }) } } };
}
