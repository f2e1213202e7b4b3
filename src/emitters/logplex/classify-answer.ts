import type { LogplexTarget } from '../../protocols/logplex/logplex-target.ts';
import { withoutSecrets } from '../../protocols/logplex/without-secrets.ts';
import { retryAfterMs } from '../../runtime/http/retry-after.ts';

/**
 * Logplex clients drop a body on every 4xx status. This emitter rejects only on statuses about the content:
 * after an operator corrects the token, path or permission, the same body is accepted, so it retries those.
 * It does not follow redirects, which would send the credentials elsewhere.
 */
export function classifyAnswer(answer: Answer, target: LogplexTarget, nowUnixMs: number): RequestResult {
  const place = target.origin;
  if (answer.kind === 'unanswered')
    return { kind: 'destination', reason: `${place}: ${answer.reason}`, afterMs: undefined };
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const excerpt = withoutSecrets(answer.text, target);
  const said = excerpt === '' ? '' : `: ${excerpt}`;
  const reason = `${place} answered ${status}${meaningOf(status)}${said}`;
  if (CONTENT.has(status)) return { kind: 'content', reason };
  return { kind: 'destination', reason, afterMs: retryAfterMs(answer.retryAfter, nowUnixMs) };
}

/** The response to a request, or the reason why there is none. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter: string | undefined;
      /** The first bytes of the response body. */
      readonly text: string;
    }
  /** No valid response: the server may or may not have accepted the request. */
  | {
      readonly kind: 'unanswered';
      readonly reason: string;
      /** The connection had carried an earlier request: the server may have closed it as idle. */
      readonly wasReused: boolean;
    };

/** The emitter stopped before a response arrived. */
export const STOPPED: Answer = {
  kind: 'unanswered',
  reason: 'stopped before a response arrived',
  wasReused: false,
};

/** The result of a request. Reasons are for operators and contain no secrets. */
export type RequestResult =
  | { readonly kind: 'delivered' }
  /** The server rejects this body for its content; it may accept a part of it. */
  | { readonly kind: 'content'; readonly reason: string }
  /** The server accepts nothing at present. */
  | { readonly kind: 'destination'; readonly reason: string; readonly afterMs: number | undefined };

/** Bad request, content too large, unprocessable. */
const CONTENT: ReadonlySet<number> = new Set([400, 413, 422]);

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [401, 'unknown token'],
  [403, 'the token has no permission to write'],
  [404, 'no such path'],
  [405, 'the path does not accept logs'],
  [408, 'the request took too long'],
  [415, 'the path does not accept the logplex format'],
  [429, 'too many requests'],
]);

function meaningOf(status: number): string {
  const meaning = status >= 300 && status < 400 ? 'redirects are not followed' : MEANINGS.get(status);
  return meaning === undefined ? '' : ` (${meaning})`;
}
