import { z } from 'zod';
import type { Clock } from '../../../runtime/clock.ts';
import type { HttpRequest } from '../../../runtime/http/http-contract.ts';
import { HttpError } from '../../../runtime/http/http-error.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import type { SignIn } from '../access/sign-in.ts';

export type StoreName = z.infer<typeof storeName>;

/** The means of the operations on sessions. */
export interface SessionContext {
  readonly version?: string;
  readonly storeName?: StoreName | undefined;
  /** undefined: the aggregator has no token, and nothing needs to sign in. */
  readonly signIn: Pick<SignIn, 'hasAccess' | 'begin' | 'end'> | undefined;
  readonly clock: Clock;
}

const storeName = z.enum(['duckdb', 'postgres', 'clickhouse']);

const sessionReport = z.object({
  version: z.string().meta({ description: 'The version of the aggregator.' }),
  signIn: z.enum(['none', 'required', 'done']).meta({
    description: 'none: the aggregator has no token. required: this client has not signed in.',
  }),
  access: z.enum(['machine', 'token']).meta({
    description: 'token: after the sign-in, operations that need a token are allowed, too.',
  }),
  store: storeName.nullable().meta({ description: 'The kind of the store; null: there is none.' }),
  now: z.iso.datetime().meta({ description: 'The time at the aggregator.' }),
});

export const getSession = operation({
  id: 'getSession',
  method: 'GET',
  path: '/v1/session',
  tag: 'session',
  summary: 'Get the access that this client has. Needs no token.',
  status: 200,
  answer: sessionReport,
  run: async ({ version = '', storeName: store, signIn, clock }: SessionContext, { request }) => ({
    version,
    signIn: stateOf(signIn, request),
    access: signIn === undefined ? ('machine' as const) : ('token' as const),
    store: store ?? null,
    now: new Date(Number(clock.nowUnixNano() / 1_000_000n)).toISOString(),
  }),
});

export const signIn = operation({
  id: 'signIn',
  method: 'POST',
  path: '/v1/session',
  tag: 'session',
  summary: 'Sign a browser in with the token of the aggregator.',
  description:
    'Sets a cookie with the id of a session. It ends 12 hours after its last request, and with the aggregator. A wrong token is answered after 250 ms.',
  body: z.strictObject({ token: z.string().max(1024) }),
  status: 204,
  errors: [409, 429],
  headers: setCookie,
  run: async ({ signIn: access }: SessionContext, { request, body }) => {
    if (access === undefined) throw NO_TOKEN;
    return await access.begin(request, body.token);
  },
});

export const signOut = operation({
  id: 'signOut',
  method: 'DELETE',
  path: '/v1/session',
  tag: 'session',
  summary: 'End the session of a browser.',
  status: 204,
  errors: [409],
  headers: setCookie,
  run: async ({ signIn: access }: SessionContext, { request }) => {
    if (access === undefined) throw NO_TOKEN;
    return access.end(request);
  },
});

function stateOf(access: SessionContext['signIn'], request: HttpRequest): 'none' | 'required' | 'done' {
  if (access === undefined) return 'none';
  return access.hasAccess(request) ? 'done' : 'required';
}

const NO_TOKEN = new HttpError(
  409,
  'no-token',
  'Cannot sign in or out: the aggregator has no token. Set AGGREGATOR_HTTP_TOKEN to use sessions.',
);

function setCookie(cookie: string): Readonly<Record<string, string>> {
  return { 'set-cookie': cookie };
}

/** The access of browsers. */
export const SESSION_OPERATIONS: readonly Operation<SessionContext>[] = [getSession, signIn, signOut];
