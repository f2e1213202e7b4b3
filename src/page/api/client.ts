import { signal } from '@preact/signals';
import { kindOfStatus, Problem, type ProblemDetail } from './problem.ts';

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** A list repeats its name; undefined and '' are left out. */
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}
export type Query = Readonly<Record<string, string | number | undefined | readonly string[]>>;

/** Longer than the limit of the aggregator for a query, which answers with a better message. */
const TIMEOUT_MS = 45_000;

/** False after a request that reached no aggregator; `watchConnection` then asks until one answers. */
export const isConnected = signal(true);
/** An answer was 401: the sign-in dialog is open. */
export const isSignInNeeded = signal(false);
/** The number of sign-ins. An answer to a request from before a sign-in does not show that another one is needed. */
export const signIns = signal(0);
/** Grows with each new connection and each sign-in: data from before is loaded again. */
export const connections = signal(0);

/** Rejects with Problem, or with AbortError if the signal of the caller aborts. `path` is like `logs/histogram`. */
export async function request<Result>(path: string, options: RequestOptions = {}): Promise<Result> {
  const signInsBefore = signIns.peek();
  const answer = await send(path, options);
  if (!answer.ok) throw await problemOf(answer, signInsBefore);
  if (answer.status === 204) return undefined as Result;
  return (await bodyOf(answer, options.signal)) as Result;
}

async function send(path: string, options: RequestOptions): Promise<Response> {
  const { method = 'GET', query = {}, body, timeoutMs = TIMEOUT_MS, signal: given } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(addressOf(path, query), {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: given === undefined ? timeout : AbortSignal.any([given, timeout]),
      cache: 'no-store',
    });
    setConnected(true);
    return answer;
  } catch (error) {
    if (given?.aborted === true) throw error;
    if (timeout.aborted) {
      throw new Problem('timeout', { message: `No answer came within ${timeoutMs / 1000} seconds.` });
    }
    setConnected(false);
    throw new Problem('offline', { message: 'The aggregator does not answer.' });
  }
}

async function bodyOf(answer: Response, given: AbortSignal | undefined): Promise<unknown> {
  try {
    return await answer.json();
  } catch (error) {
    if (given?.aborted === true) throw error;
    throw new Problem('failed', { message: 'The answer of the aggregator broke off or is not JSON.' });
  }
}

/** Relative to the page: a proxy may serve both under a path. */
export function addressOf(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== '') search.append(name, String(each));
    }
  }
  const text = search.toString();
  return `v1/${path}${text === '' ? '' : `?${text}`}`;
}

interface ErrorBody {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly problems?: readonly ProblemDetail[];
  };
}

async function problemOf(answer: Response, signInsBefore: number): Promise<Problem> {
  const kind = kindOfStatus(answer.status);
  if (kind === 'sign-in' && signIns.peek() === signInsBefore) isSignInNeeded.value = true;
  const body = ((await answer.json().catch(() => undefined)) ?? {}) as ErrorBody;
  const {
    message = `The aggregator answered ${answer.status}.`,
    code = kind,
    problems = [],
  } = body.error ?? {};
  // The message of the aggregator is for programs that send the token with each request.
  if (kind === 'sign-in' && !answer.url.endsWith('/v1/session')) {
    return new Problem(kind, { message: 'You are not signed in.', code });
  }
  return new Problem(kind, { message, code, details: problems });
}

function setConnected(isNow: boolean): void {
  if (isNow && !isConnected.peek()) connections.value++;
  isConnected.value = isNow;
}

/** The body of an answer that does not end by itself. Rejects with Problem. */
export async function openStream(
  path: string,
  {
    query,
    headers,
    signal: given,
  }: {
    readonly query: Query;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<ReadableStream<Uint8Array>> {
  const signInsBefore = signIns.peek();
  let answer: Response;
  try {
    answer = await fetch(addressOf(path, query), { headers, signal: given, cache: 'no-store' });
  } catch (error) {
    if (given.aborted) throw error;
    setConnected(false);
    throw new Problem('offline', { message: 'The aggregator does not answer.' });
  }
  setConnected(true);
  if (!answer.ok) throw await problemOf(answer, signInsBefore);
  if (answer.body === null)
    throw new Problem('failed', { message: 'The answer of the aggregator is empty.' });
  return answer.body;
}
