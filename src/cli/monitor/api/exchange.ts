import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { harmless } from '../terminal/harmless.ts';
import { ApiError } from './api-error.ts';
import type { Connection } from './connection.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the connection's URL, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: unknown;
}

/**
 * Sends a request, and resolves with the answer once its head is there; redirects are not followed. Rejects with an
 * ApiError, or with the reason of `signal`. Each has a connection of its own: some are seconds apart, and one that the
 * other side has just closed would look like a failure.
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

/** All of one answer; a page of records may be large. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** The whole body of an answer. Rejects as `exchange` does. */
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
        throw new ApiError('The answer is too large: ask for less with -n.', { isTransient: false });
      }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof ApiError ? error : brokenOff(connection);
  }
  return Buffer.concat(chunks).toString();
}

export function brokenOff({ url }: Connection): ApiError {
  const message = `The connection to ${url} ended in the middle of an answer.`;
  return new ApiError(message, { isTransient: true });
}

/**
 * Does it with a signal that aborts when `signal` does, and when the time of the connection is over. (`AbortSignal.any`
 * would leave something behind at `signal` each time: whoever observes asks for days.)
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
  const message = `${url} has not answered within ${timeoutMs / 1000} s. Is it an aggregator? If it is busy, give it more --timeout.`;
  return new ApiError(message, { isTransient: true });
}

const UNTRUSTED = /CERT|SIGNATURE|ISSUER|SELF_SIGNED/;
const NOT_TLS = /^(?:EPROTO|ERR_SSL_)/;

function unreachable({ url }: Connection, error: NodeJS.ErrnoException): ApiError {
  const code = error.code ?? harmless(error.message);
  const transient = (message: string) => new ApiError(message, { isTransient: true });
  const final = (message: string) => new ApiError(message, { isTransient: false });
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return final(`The certificate of ${url} is for another name: use the one that it is for.`);
  }
  if (code === 'CERT_HAS_EXPIRED') return transient(`The certificate of ${url} has expired.`);
  if (UNTRUSTED.test(code)) {
    return final(
      `The certificate of ${url} is not trusted (${code}): name those of its authority with --ca.`,
    );
  }
  if (NOT_TLS.test(code)) return final(`${url} does not speak TLS as it should (${code}): is it http://?`);
  if (code.startsWith('HPE_')) {
    return final(`${url} does not speak HTTP (${code}): is it https://, or another port?`);
  }
  if (code === 'ENOTFOUND')
    return transient(`There is no host of the name in ${url}. Name another with --url.`);
  return new ApiError(
    `Cannot reach an aggregator at ${url} (${code}). Is it running? Start one with mega-collector aggregator, or name its HTTP address with --url or AGGREGATOR_HTTP_ADDRESS.`,
    { isTransient: true, isRefusedConnection: code === 'ECONNREFUSED' },
  );
}
