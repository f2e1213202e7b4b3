import type { IncomingHttpHeaders } from 'node:http';
import type { Json } from '../../records/json.ts';

/** Handles requests. Guards and limits wrap a handler and are handlers, too. */
export type HttpHandler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

export interface HttpRequest {
  /** As received: GET, HEAD, POST ... */
  readonly method: string;
  /** Not decoded, without the query. */
  readonly path: string;
  /** The part after the `?`, not decoded. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** The other end of the connection; undefined for a Unix socket, and when the connection is gone. */
  readonly remoteAddress: string | undefined;
  /** Aborts when the answer is complete, or the client has disconnected. */
  readonly signal: AbortSignal;
  /** The body; may be read once. Rejects with an HttpError: 400, 413, 415. */
  json(): Promise<Json>;
}

/** HEAD gets the same answer as GET, without the body. */
export interface HttpAnswer {
  /** Default: 200. */
  readonly status?: number;
  /** Default: JSON. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: `no-store`. */
  readonly cacheControl?: string;
  /**
   * Identifies this version of the body, without quotes. A GET or HEAD with a matching `If-None-Match` is
   * answered 304 without the body. Not for streams.
   */
  readonly etag?: string;
  /** The body compressed beforehand. A client that accepts one of them receives it instead of `body`. */
  readonly encoded?: Readonly<Partial<Record<HttpEncoding, Uint8Array>>>;
  readonly body: string | Uint8Array | HttpStream;
}

export type HttpEncoding = 'br' | 'gzip';

/**
 * Writes a body in parts until it resolves. `signal` aborts when the client disconnects or the server stops.
 */
export type HttpStream = (sink: HttpSink, signal: AbortSignal) => Promise<void>;

export interface HttpSink {
  /** Written bytes that the connection has not sent yet: a writer that ignores this fills the memory. */
  readonly waitingBytes: number;
  write(text: string): void;
  /** Resolves when there is room for more, or the client has disconnected. */
  drained(): Promise<void>;
}

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface HttpRoute {
  readonly method: HttpMethod;
  /** `/v1/metrics/{id}`: a name in braces matches one segment. */
  readonly path: string;
  handle(request: HttpRequest, parameters: HttpParameters): HttpAnswer | Promise<HttpAnswer>;
}

/** By the names in the path, decoded. */
export type HttpParameters = ReadonlyMap<string, string>;

/** All paths with a prefix (`/v1`), handled by one handler. */
export interface HttpMount {
  readonly prefix: string;
  readonly handle: HttpHandler;
}
