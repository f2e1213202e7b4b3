import type { IncomingHttpHeaders } from 'node:http';
import type { Resource } from '../../../records/resource.ts';
import type { ContentEncoding } from '../requests/request-body.ts';

/** A way in which clients push records. A listener speaks all of them, and the path of a request selects one. */
export interface PushProtocol {
  /** Its name in metrics. */
  readonly name: string;
  readonly encodings: readonly ContentEncoding[];
  /** Of a body without a header that names its encoding. */
  defaultEncoding?(request: PushRequest): ContentEncoding | undefined;
  /** Whether the request needs no token: it asks whether the listener is alive. */
  isPublic(request: PushRequest): boolean;
  /** A token outside of the header `Authorization`. */
  tokenOf?(request: PushRequest): string | undefined;
  /**
   * Answers a request. Rejects with a PushFault for a body that is not valid, and with a BodyFault for other problems.
   * `store` rejects with a BodyFault when the records are not on disk.
   */
  answer(request: PushRequest, body: Buffer, store: PushStore): Promise<PushAnswer>;
  /** The answer to a request that is rejected. */
  fault(fault: PushRejection): PushAnswer;
}

export interface PushRequest {
  readonly method: string;
  /** Without the query and without a slash at the end. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** In lower case, without parameters; empty: none. */
  readonly mediaType: string;
  /** The attributes of the client. */
  readonly peer: Resource;
}

/** Resolves when the records are on disk. */
export type PushStore = (records: readonly PushRecord[]) => Promise<void>;

export interface PushRecord {
  /** Without LF. */
  readonly bytes: Uint8Array;
  readonly format: 'http' | 'http-loki' | 'http-elasticsearch' | 'http-splunk';
  /** Use the same object for equal attributes. */
  readonly peer: Resource;
  /** The size of a record of which these bytes are the beginning. */
  readonly truncatedFrom?: number | undefined;
}

export interface PushAnswer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PushRejection {
  /** 401: no token, 403: a wrong one, 503: retry later. */
  readonly status: number;
  readonly message: string;
}

export const JSON_TYPE = 'application/json';

export function jsonAnswer(status: number, value: unknown): PushAnswer {
  return { status, body: JSON.stringify(value), type: JSON_TYPE };
}
