import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TlsMaterial } from '../../src/runtime/tls.ts';
import { type DecodedMessage, decodeFrames } from './logplex-decoder.ts';

/**
 * How a request is met, if not as it should be.
 *
 * - a status, with headers and a body
 * - `hang`: it is read and never answered.
 * - `reset`: it is read, and the connection reset.
 * - `reset-at-once`: the connection is reset before the body is read.
 * - `early`: success is answered before the body is read.
 * - `continue`: 100 Continue, then as it should be.
 * - `endless`: success, and a body that does not end.
 * - `flood`: success, and a body that is far too long.
 */
export type Misbehaviour =
  | 'hang'
  | 'reset'
  | 'reset-at-once'
  | 'early'
  | 'continue'
  | 'endless'
  | 'flood'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly messages: readonly DecodedMessage[];
  /** The password of the credentials. */
  readonly token: string;
  /** Counts the connections. */
  readonly connection: number;
}

export interface EndpointPlan {
  readonly tls?: Pick<TlsMaterial, 'certificate' | 'key'>;
  /** The accepted tokens. Default: `t.test`. */
  readonly tokens?: readonly string[];
  readonly port?: number;
  /** Idle connections are closed after so long. */
  readonly keepAliveMs?: number;
}

/** A logplex server for one test: strict about everything that the real one is strict about, and more. */
export class LogplexEndpoint {
  /** Every request that was read to its end, with any answer. */
  readonly requests: ReceivedRequest[] = [];
  /** Requests that were answered with success, by token. */
  readonly accepted: ReceivedRequest[] = [];
  /** The problems of requests, as text. */
  readonly faults: string[] = [];
  readonly tokens: Set<string>;
  /** How requests are met: by the first of these, which then goes ... */
  readonly next: Misbehaviour[] = [];
  /** ... then by this. */
  behaviour: (request: ReceivedRequest) => Misbehaviour | undefined = () => undefined;
  /** A body with such a message is answered with 400. */
  refuses: (message: DecodedMessage) => boolean = () => false;
  /** Nothing is answered before this. */
  held: Promise<void> | undefined;
  /** The most requests at a time, of one token. */
  mostAtOnce = 0;
  readonly #atOnce = new Map<string, number>();
  readonly #connections = new Map<Socket, number>();
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';

  private constructor(server: Server, { tls, tokens = ['t.test'] }: EndpointPlan) {
    this.#server = server;
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.tokens = new Set(tokens);
  }

  static async start(plan: EndpointPlan = {}): Promise<LogplexEndpoint> {
    const { tls } = plan;
    const server =
      tls === undefined ? createServer() : createTlsServer({ cert: tls.certificate, key: tls.key });
    server.keepAliveTimeout = plan.keepAliveMs ?? 60_000;
    const endpoint = new LogplexEndpoint(server, plan);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void endpoint.#meet(request, response);
    });
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      endpoint.#connections.set(socket, endpoint.#connections.size);
      socket.on('error', () => {});
    });
    server.listen(plan.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => endpoint.stop());
    return endpoint;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** With credentials of this token; without any when it is empty. */
  url(token = 't.test', path = '/logs'): string {
    const credentials = token === '' ? '' : `token:${encodeURIComponent(token)}@`;
    return `${this.#scheme}://${credentials}localhost:${this.port}${path}`;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Connections that are open now. */
  get open(): number {
    return [...this.#connections.keys()].filter(({ destroyed }) => !destroyed).length;
  }

  /** The texts that were taken, in the order they came. */
  texts(token?: string): string[] {
    return this.accepted
      .filter((request) => token === undefined || request.token === token)
      .flatMap(({ messages }) => messages.map(({ text }) => text));
  }

  closeConnections(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.closeConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #meet(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const first = this.next[0];
    if (first === 'early' || first === 'reset-at-once') {
      this.next.shift();
      if (first === 'early') response.writeHead(204).end();
      else request.socket.resetAndDestroy();
      return;
    }
    const token = tokenOf(request);
    const atOnce = (this.#atOnce.get(token) ?? 0) + 1;
    this.#atOnce.set(token, atOnce);
    this.mostAtOnce = Math.max(this.mostAtOnce, atOnce);
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      await this.held;
      this.#receive(request, response, { token, body: Buffer.concat(chunks) });
    } catch {
      // The client has gone.
    } finally {
      this.#atOnce.set(token, (this.#atOnce.get(token) ?? 1) - 1);
    }
  }

  #receive(
    request: IncomingMessage,
    response: ServerResponse,
    { token, body }: { readonly token: string; readonly body: Buffer },
  ): void {
    const { headers, url = '' } = request;
    const answer = (status: number, text = '', more: Record<string, string> = {}) =>
      response.writeHead(status, more).end(text);
    const fault = (status: number, text: string) => {
      this.faults.push(text);
      answer(status, text, status === 401 ? { 'WWW-Authenticate': 'Basic realm=Logplex' } : {});
    };
    let messages: DecodedMessage[];
    try {
      messages = decodeFrames(body);
    } catch (error) {
      return fault(400, `Malformed log messages: ${(error as Error).message}`);
    }
    const connection = this.#connections.get(request.socket) ?? -1;
    const received = { path: url, headers, body, messages, token, connection };
    this.requests.push(received);
    const how = this.next.shift() ?? this.behaviour(received);
    if (typeof how === 'object') return void answer(how.status, how.body, how.headers);
    if (how === 'hang') return;
    if (how === 'reset') return void request.socket.resetAndDestroy();
    if (request.method !== 'POST') return fault(405, 'Method not allowed');
    if (headers['content-type'] !== 'application/logplex-1') return fault(415, 'Wrong content type');
    if (headers['transfer-encoding'] !== undefined || Number(headers['content-length']) !== body.length)
      return fault(400, 'Wrong content length');
    if (!this.tokens.has(token)) return fault(401, 'Not Authorized');
    if (messages.length === 0 || Number(headers['logplex-msg-count']) !== messages.length)
      return fault(400, 'Message count mismatch');
    if (!/^[0-9a-f]{32}$/.test(String(headers['logplex-frame-id']))) return fault(400, 'No frame id');
    if (messages.some((message) => message.token !== token)) return fault(400, 'Foreign token');
    if (messages.some((message) => this.refuses(message))) return void answer(400, 'Malformed log messages');
    this.accepted.push(received);
    if (how === 'continue') response.writeContinue();
    if (how === 'endless' || how === 'flood')
      response.writeHead(200).write('x'.repeat(how === 'flood' ? 200_000 : 10));
    else answer(204);
  }
}

function tokenOf({ headers }: IncomingMessage): string {
  const credentials = (headers.authorization ?? '').replace(/^Basic /, '');
  return Buffer.from(credentials, 'base64')
    .toString()
    .replace(/^[^:]*:/, '');
}
