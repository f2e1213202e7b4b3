import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LimitedLog } from '../logging/limited-log.ts';
import { readJsonBody } from './http-body.ts';
import type { HttpAnswer, HttpHandler, HttpRequest, HttpSink, HttpStream } from './http-contract.ts';
import { errorAnswer, HttpError } from './http-error.ts';
import { httpRepresentation } from './http-representation.ts';

/** One request and its answer. */
export class HttpExchange {
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: HttpExchangeOptions;
  readonly #over = new AbortController();
  readonly #ended = new AbortController();
  #isHandling = false;

  constructor(incoming: IncomingMessage, response: ServerResponse, options: HttpExchangeOptions) {
    this.#incoming = incoming;
    this.#response = response;
    this.#options = options;
    response.once('close', () => {
      this.#over.abort();
      this.#ended.abort();
    });
    response.on('error', () => {});
  }

  /** The request has arrived, and the handler has not returned its answer yet. */
  get isAwaitingAnswer(): boolean {
    return this.#isHandling && this.#incoming.complete;
  }

  /** The server stops: a stream, which has no end, is ended; other requests may still be answered. */
  end(): void {
    this.#ended.abort();
    if (!this.#response.headersSent) this.#response.setHeader('connection', 'close');
  }

  /** Never rejects. */
  async handle(handler: HttpHandler): Promise<void> {
    const request = this.#request();
    this.#isHandling = true;
    const answer = await this.#answerOf(handler, request);
    this.#isHandling = false;
    if (this.#over.signal.aborted) return;
    const { status, headers, body } = httpRepresentation(answer, request);
    this.#response.writeHead(status, {
      ...contentHeaders(status, answer, body),
      // Prevents guessing of the content type.
      'x-content-type-options': 'nosniff',
      // An unread body must not be parsed as the next request.
      ...(hasUnreadBody(this.#incoming) && { connection: 'close' }),
      ...headers,
    });
    if (request.method === 'HEAD' || body === undefined) this.#response.end();
    else if (typeof body === 'function') await this.#stream(body, request.path);
    else this.#response.end(body);
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
      json: () => readJsonBody(incoming, this.#options.maxBodyBytes),
    };
  }

  async #answerOf(handler: HttpHandler, request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await handler(request);
    } catch (error) {
      if (error instanceof HttpError) return errorAnswer(error);
      this.#logFailure(error, request.path);
      return errorAnswer(new HttpError(500, 'internal', 'Internal error: see the log of the process.'));
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
    this.#options.log.write({
      level: 'error',
      party: '',
      fields,
      message: 'An HTTP request could not be answered',
    });
  }
}

export interface HttpExchangeOptions {
  readonly log: LimitedLog;
  readonly maxBodyBytes: number;
}

function contentHeaders(
  status: number,
  { contentType = 'application/json; charset=utf-8' }: HttpAnswer,
  body: HttpAnswer['body'] | undefined,
): Record<string, string | number> {
  if (status === 204 || body === undefined) return {};
  return {
    'content-type': contentType,
    ...(typeof body !== 'function' && { 'content-length': Buffer.byteLength(body) }),
  };
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
