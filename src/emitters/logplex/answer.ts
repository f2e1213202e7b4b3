import type { LogplexTarget } from '../../protocols/logplex/logplex-target.ts';
import { withoutSecrets } from '../../protocols/logplex/without-secrets.ts';

/** What came back for a request. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter: string | undefined;
      /** How the answer's body begins. */
      readonly text: string;
    }
  /** Nothing that could be understood; whether the server took it is not known. */
  | {
      readonly kind: 'unanswered';
      readonly reason: string;
      /** On a connection that had been used before: the server may just have closed it for being idle. */
      readonly wasReused: boolean;
    };

/** We gave up before there was one. */
export const STOPPED: Answer = {
  kind: 'unanswered',
  reason: 'stopped before it was answered',
  wasReused: false,
};

/** What an answer says of the request. Reasons are for people and hold no secret. */
export type Verdict =
  | { readonly kind: 'delivered' }
  /** It will never take this body; a part of it perhaps. */
  | { readonly kind: 'content'; readonly reason: string }
  /** It takes nothing now. */
  | { readonly kind: 'destination'; readonly reason: string; readonly afterMs: number | undefined };

/**
 * Logplex has 4xx for drop. Here only what judges the content is: with another token, path or permission the same body
 * would be taken, so those wait for a person. Redirects would carry the credentials elsewhere and are not followed.
 */
export function verdictOf(answer: Answer, target: LogplexTarget, nowUnixMs: number): Verdict {
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

/** Bad request, content too large, unprocessable. */
const CONTENT: ReadonlySet<number> = new Set([400, 413, 422]);

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [401, 'the token is not known there'],
  [403, 'the token may not write there'],
  [404, 'there is nothing at this path'],
  [405, 'the path takes no logs'],
  [408, 'it was too slow'],
  [415, 'the path takes no logplex'],
  [429, 'too many requests'],
]);

function meaningOf(status: number): string {
  const meaning = status >= 300 && status < 400 ? 'a redirect, which is not followed' : MEANINGS.get(status);
  return meaning === undefined ? '' : ` (${meaning})`;
}

/** A server may ask for more, but not for days: its clock or its unit may be wrong. */
const MAX_RETRY_AFTER_MS = 60 * 60_000;

/** Seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(value: string | undefined, nowUnixMs: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowUnixMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
