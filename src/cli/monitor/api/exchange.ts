import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import { ApiError } from './api-error.ts';
import type { Connection } from './connection.ts';

/**
 * Sends a request and resolves with the answer after its head has arrived; redirects are not followed.
 * Rejects with an ApiError, or with the reason of `signal`. Every request has its own connection: a kept
 * connection that the server has just closed would look like a failure.
 */
export async function exchange(
  connection: Connection,
  { method, path, headers, body }: ApiRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = new URL(connection.url + path);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options: RequestOptions = {
    method,
    agent: false,
    signal,
    headers: {
      accept: 'application/json',
      ...(connection.token !== undefined && { authorization: `Bearer ${connection.token}` }),
      ...(text !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(text)),
      }),
      ...headers,
    },
  };
  return await new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, ca: connection.ca, minVersion: 'TLSv1.2' })
        : httpRequest(url, options);
    request.once('response', resolve);
    request.on('error', (error: NodeJS.ErrnoException) => {
      reject(signal.aborted ? (signal.reason as Error) : unreachable(connection, error));
    });
    request.end(text);
  });
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Relative to the connection's URL, with the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: unknown;
}

/** Maximum size of one answer; a page of records may be large. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** Reads the whole body of an answer. Rejects as `exchange` does. */
export async function readBody(
  connection: Connection,
  answer: IncomingMessage,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_BODY_BYTES) {
        throw new ApiError('Cannot read the answer: it is too large. Request fewer records with -n.', {
          isTransient: false,
        });
      }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof ApiError ? error : brokenOff(connection);
  }
  return Buffer.concat(chunks).toString();
}

export function brokenOff({ url }: Connection): ApiError {
  const message = `The connection to ${url} ended before the answer was complete.`;
  return new ApiError(message, { isTransient: true });
}

/**
 * Runs `work` with a signal that aborts when `signal` does and after the timeout of the connection.
 * (`AbortSignal.any` would leak memory at `signal`, which lives for days with `observe`.)
 */
export async function inTime<T>(
  connection: Connection,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => controller.abort(tookTooLong(connection)), connection.timeoutMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

function tookTooLong({ url, timeoutMs }: Connection): ApiError {
  const message = `No answer from ${url} within ${timeoutMs / 1000} s. Check that it is an aggregator, or increase --timeout if it is busy.`;
  return new ApiError(message, { isTransient: true });
}

const UNTRUSTED = /CERT|SIGNATURE|ISSUER|SELF_SIGNED/;
const NOT_TLS = /^(?:EPROTO|ERR_SSL_)/;

function unreachable({ url }: Connection, error: NodeJS.ErrnoException): ApiError {
  const code = error.code ?? sanitizeForTerminal(error.message);
  const transient = (message: string) => new ApiError(message, { isTransient: true });
  const final = (message: string) => new ApiError(message, { isTransient: false });
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return final(`The certificate of ${url} is for another name. Use the name in the certificate.`);
  }
  if (code === 'CERT_HAS_EXPIRED') return transient(`The certificate of ${url} has expired. Renew it.`);
  if (UNTRUSTED.test(code)) {
    return final(
      `The certificate of ${url} is not trusted (${code}). Name the certificates of its authority with --ca.`,
    );
  }
  if (NOT_TLS.test(code))
    return final(`Cannot establish TLS with ${url} (${code}). Check whether the URL begins with http://.`);
  if (code.startsWith('HPE_')) {
    return final(
      `${url} does not answer with HTTP (${code}). Check the port, and whether the URL begins with https://.`,
    );
  }
  if (code === 'ENOTFOUND')
    return transient(`Cannot resolve the host name in ${url} (${code}). Correct it with --url.`);
  return new ApiError(
    `Cannot reach an aggregator at ${url} (${code}). Start one with mega-collector aggregator, or name its HTTP address with --url or AGGREGATOR_HTTP_ADDRESS.`,
    { isTransient: true, isRefusedConnection: code === 'ECONNREFUSED' },
  );
}
