import type { HttpMethod } from './http-contract.ts';

/** A request of a client, for any transport: a network address, a Unix socket, a handler in this process. */
export interface HttpCall {
  readonly method: HttpMethod;
  /** With the query. */
  readonly path: string;
  /** JSON; undefined: no body. */
  readonly body?: string | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly text: string;
}
