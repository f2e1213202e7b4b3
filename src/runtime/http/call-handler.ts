import type { Json } from '../../records/json.ts';
import type { HttpCall, HttpReply } from './http-call.ts';
import type { HttpHandler, HttpRequest } from './http-contract.ts';
import { errorAnswer, HttpError } from './http-error.ts';

/**
 * Calls a handler in this process: the same request and the same answer as over a connection. Rejects with
 * unexpected errors of the handler. Streams are not supported.
 */
export async function callHandler(handle: HttpHandler, call: HttpCall): Promise<HttpReply> {
  const ended = new AbortController();
  try {
    const { status = 200, body } = await handle(requestOf(call, ended.signal));
    if (typeof body === 'function') throw new TypeError(`${call.path} answers with a stream`);
    return { status, text: typeof body === 'string' ? body : Buffer.from(body).toString() };
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const { status, body } = errorAnswer(error);
    return { status, text: body };
  } finally {
    ended.abort();
  }
}

function requestOf({ method, path, body }: HttpCall, signal: AbortSignal): HttpRequest {
  const mark = path.indexOf('?');
  return {
    method,
    path: mark < 0 ? path : path.slice(0, mark),
    query: mark < 0 ? '' : path.slice(mark + 1),
    headers: {},
    remoteAddress: undefined,
    signal,
    json: async () => JSON.parse(body ?? '') as Json,
  };
}
