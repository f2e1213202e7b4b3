import { randomUUID } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import { rootCertificates } from 'node:tls';
import type * as pagerDuty from '@pagerduty/pdjs';
import { retryAfterMs } from '../../runtime/http/retry-after.ts';
import type { PagerDutyEvent } from './pagerduty-event.ts';

/**
 * One event, one request. This client disables the following behaviour of @pagerduty/pdjs 2.2.4:
 *
 * - Its `requestTimeout` aborts nothing and keeps the process alive: a timer and a signal replace it.
 * - It sends three times again after a 429 and ignores Retry-After: the request is aborted when that response
 *   arrives.
 * - It rejects on a body that is not JSON (an error page of a proxy, an empty 202), and the status is lost.
 * - It follows redirects, with the key in the body.
 *
 * So status and headers are read from Node's diagnostics channel for HTTP responses.
 */
export class PagerDutyClient {
  readonly #server: string | undefined;
  readonly #agent: Agent;
  readonly #timeoutMs: number;

  constructor({ server, ca, timeoutMs = DEFAULT_TIMEOUT_MS }: PagerDutyClientOptions) {
    this.#server = server === undefined ? undefined : hostOf(server);
    this.#agent = new Agent({ keepAlive: false, ...(ca !== undefined && { ca: [...rootCertificates, ca] }) });
    this.#timeoutMs = timeoutMs;
  }

  async send(event: PagerDutyEvent, signal: AbortSignal): Promise<SendResult> {
    const requestId = randomUUID();
    // Not AbortSignal.any with a timeout: no object references that signal, and it never fires once it is
    // collected.
    const ended = new AbortController();
    const end = () => ended.abort();
    const timer = setTimeout(end, this.#timeoutMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    let answer: Answer | undefined;
    const stopWatching = watchAnswers(requestId, (seen) => {
      answer = seen;
      if (seen.status === 429) end();
    });
    const parameters = {
      data: event,
      ...(this.#server !== undefined && { server: this.#server }),
      headers: { [REQUEST_ID_HEADER]: requestId },
      requestTimeout: 0,
      retryTimeout: 0,
      redirect: 'manual',
      agent: this.#agent,
      signal: ended.signal,
    };
    try {
      // Loaded with the first event: it needs memory, and most processes never send one.
      const { event: sendEvent } = await import('@pagerduty/pdjs');
      // Its types require a payload with each event and have no agent.
      const response = await sendEvent(parameters as unknown as Parameters<typeof pagerDuty.event>[0]);
      answer ??= { status: response.status, retryAfter: undefined };
      return resultOf(answer, explanationIn(response.data, event.routing_key));
    } catch (error) {
      if (answer !== undefined) return resultOf(answer, '');
      return { kind: 'retry', reason: this.#reasonOf(error) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      stopWatching();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Returns only the error code: messages repeat the address and other values. */
  #reasonOf(error: unknown): string {
    if (!(error instanceof Error)) return 'failed';
    if (error.name === 'AbortError') return `no answer within ${this.#timeoutMs} ms`;
    const { code, type } = error as { code?: string; type?: string };
    return code ?? type ?? error.name;
  }
}

export type SendResult =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number }
  /** PagerDuty will never accept it. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface PagerDutyClientOptions {
  /** `host[:port]` or `https://host[:port]`; default: events.pagerduty.com. The protocol is always https. */
  readonly server?: string | undefined;
  /** PEM; trusted besides the usual authorities. */
  readonly ca?: string | undefined;
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 15_000;

const REQUEST_ID_HEADER = 'x-request-id';

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/** Calls `seen` when the response to the request with this id begins; returns a function to unsubscribe. */
function watchAnswers(requestId: string, seen: (answer: Answer) => void): () => void {
  const answers = channel('http.client.response.finish');
  const listener = (message: unknown) => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    if (String(request.getHeader(REQUEST_ID_HEADER)) !== requestId) return;
    seen({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
  };
  answers.subscribe(listener);
  return () => answers.unsubscribe(listener);
}

function resultOf({ status, retryAfter }: Answer, explanation: string): SendResult {
  if (status >= 200 && status < 300) return { kind: 'sent' };
  const reason = `HTTP ${status}${explanation}`;
  // A redirect is not followed, but it may come from a proxy and be temporary.
  const mayWorkLater = status === 429 || status === 408 || status >= 500 || status < 400;
  if (!mayWorkLater) return { kind: 'refused', reason };
  const afterMs = retryAfterMs(retryAfter, Date.now());
  return { kind: 'retry', reason, ...(afterMs !== undefined && { afterMs }) };
}

/** The error description in the response, without the key, which it may quote. */
function explanationIn(data: unknown, secret: string): string {
  const { message, errors } = (data ?? {}) as { message?: unknown; errors?: unknown };
  const parts = [message, ...(Array.isArray(errors) ? errors : [])].filter(
    (part) => typeof part === 'string',
  );
  if (parts.length === 0) return '';
  return `: ${parts
    .join('; ')
    .replaceAll(secret, `...${secret.slice(-4)}`)
    .slice(0, 500)}`;
}

function hostOf(server: string): string {
  return server.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '');
}
