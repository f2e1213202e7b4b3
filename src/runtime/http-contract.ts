import type { IncomingHttpHeaders } from 'node:http';
import type { Json } from './json.ts';

/** Everything that answers requests is one of these; what guards or limits it wraps it, and is one, too. */
export type HttpHandler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

export interface HttpRequest {
  /** As it came: GET, HEAD, POST ... */
  readonly method: string;
  /** Not decoded, without the query. */
  readonly path: string;
  /** What stands behind the `?`, not decoded. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** The other end of the connection; undefined when that is gone. */
  readonly remoteAddress: string | undefined;
  /** Aborts when all is over: the answer is out, or the client is gone. */
  readonly signal: AbortSignal;
  /** The body; may be read once. Rejects with an HttpError: 400, 413, 415. */
  json(): Promise<Json>;
}

/** To HEAD the same is answered as to GET, and the body left out. */
export interface HttpAnswer {
  /** Default: 200. */
  readonly status?: number;
  /** Default: JSON. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | HttpStream;
}

/** Writes a body bit by bit until it resolves. `signal` aborts when the client is gone or the server stops. */
export type HttpStream = (sink: HttpSink, signal: AbortSignal) => Promise<void>;

export interface HttpSink {
  /** Written, and not yet taken by the connection: who writes without looking at it fills the memory. */
  readonly waitingBytes: number;
  write(text: string): void;
  /** Resolves when there is room for more, or the client is gone. */
  drained(): Promise<void>;
}

export type HttpMethod = 'GET' | 'POST' | 'DELETE';

export interface HttpRoute {
  readonly method: HttpMethod;
  /** `/v1/metrics/{id}`: a name in braces stands for one segment. */
  readonly path: string;
  handle(request: HttpRequest, parameters: HttpParameters): HttpAnswer | Promise<HttpAnswer>;
}

/** By the names in the path, decoded. */
export type HttpParameters = ReadonlyMap<string, string>;

/** All paths that begin with a prefix (`/v1`): one handler answers them, whatever they are. */
export interface HttpMount {
  readonly prefix: string;
  readonly handler: HttpHandler;
}
