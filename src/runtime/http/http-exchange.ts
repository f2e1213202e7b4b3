import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LimitedLog } from '../logging/limited-log.ts';
import { readJsonBody } from './http-body.ts';
import type { HttpAnswer, HttpHandler, HttpRequest, HttpSink, HttpStream } from './http-contract.ts';
import { errorAnswer, HttpError } from './http-error.ts';

/** One request and its answer. */
export class HttpExchange {
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #log: LimitedLog;
  readonly #over = new AbortController();
  readonly #ended = new AbortController();

  constructor(incoming: IncomingMessage, response: ServerResponse, log: LimitedLog) {
    this.#incoming = incoming;
    this.#response = response;
    this.#log = log;
    response.once('close', () => {
      this.#over.abort();
      this.#ended.abort();
    });
    response.on('error', () => {});
  }

  /** The server stops: a stream, which has no end, is ended; other requests may still be answered. */
  end(): void {
    this.#ended.abort();
    if (!this.#response.headersSent) this.#response.setHeader('connection', 'close');
  }

  /** Never rejects. */
  async handle(handler: HttpHandler): Promise<void> {
    const request = this.#request();
    const { status = 200, contentType, headers, body } = await this.#answerOf(handler, request);
    if (this.#over.signal.aborted) return;
    this.#response.writeHead(status, {
      ...(status !== 204 && { 'content-type': contentType ?? 'application/json; charset=utf-8' }),
      ...(status !== 204 && typeof body === 'string' && { 'content-length': Buffer.byteLength(body) }),
      // Prevents caching, and guessing of the content type.
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // An unread body must not be parsed as the next request.
      ...(hasUnreadBody(this.#incoming) && { connection: 'close' }),
      ...headers,
    });
    if (request.method === 'HEAD') this.#response.end();
    else if (typeof body === 'string') this.#response.end(body);
    else await this.#stream(body, request.path);
  }

  #request(): HttpRequest {
    const incoming = this.#incoming;
    const { method = 'GET', url = '/', headers, socket } = incoming;
    const mark = url.indexOf('?');
    return {
      method,
      path: mark < 0 ? url : url.slice(0, mark),
      query: mark < 0 ? '' : url.slice(mark + 1),
      headers,
      remoteAddress: socket.remoteAddress,
      signal: this.#over.signal,
      json: () => readJsonBody(incoming),
    };
  }

  async #answerOf(handler: HttpHandler, request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await handler(request);
    } catch (error) {
      if (error instanceof HttpError) return errorAnswer(error);
      this.#logFailure(error, request.path);
      return errorAnswer(new HttpError(500, 'internal', 'The request could not be answered.'));
    }
  }

  async #stream(stream: HttpStream, path: string): Promise<void> {
    const response = this.#response;
    response.flushHeaders();
    try {
      await stream(sinkOf(response), this.#ended.signal);
    } catch (error) {
      if (!this.#ended.signal.aborted) {
        this.#logFailure(error, path);
        // Reset instead of ended, so that a client does not take the part for the whole.
        response.destroy();
      }
    }
    // The client expects the connection to stay open; a stop would wait for it.
    response.end(() => this.#ended.signal.aborted && this.#incoming.socket.destroySoon());
  }

  #logFailure(error: unknown, path: string): void {
    const fields = { err: error, path: path.slice(0, 200) };
    // One limit for all paths: a client can choose any path.
    this.#log.write({ level: 'error', party: '', fields, message: 'An HTTP request could not be answered' });
  }
}

function sinkOf(response: ServerResponse): HttpSink {
  return {
    get waitingBytes() {
      return response.writableLength;
    },
    write: (text) => {
      if (!response.destroyed) response.write(text);
    },
    drained: () =>
      new Promise((resolve) => {
        if (response.destroyed || !response.writableNeedDrain) {
          resolve();
          return;
        }
        const done = () => {
          response.off('drain', done).off('close', done);
          resolve();
        };
        response.on('drain', done).on('close', done);
      }),
  };
}

function hasUnreadBody({ headers, complete }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return hasBody && !complete;
}
