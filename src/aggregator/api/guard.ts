import type { Clock } from '../../runtime/clock.ts';
import type { Address } from '../../runtime/configuration/address.ts';
import { isLoopback, parseAddress } from '../../runtime/configuration/address.ts';
import type { HttpHandler, HttpRequest } from '../../runtime/http/http-contract.ts';
import { HttpError } from '../../runtime/http/http-error.ts';
import { isOwnPage, isWrite } from './access/own-page.ts';
import { bearerToken, type SecretToken } from './access/secret-token.ts';
import { FAILED_TOKEN_DELAY_MS, type SignIn } from './access/sign-in.ts';
import type { ApiEvents, RefusalReason } from './events.ts';

export interface GuardOptions {
  /** undefined: only this machine has access. */
  readonly access: TokenAccess | undefined;
  readonly listenAddress: Address;
  readonly clock: Clock;
  readonly events: Pick<ApiEvents, 'refused'>;
}

export interface TokenAccess {
  readonly token: SecretToken;
  /** Of browsers. */
  readonly signIn: SignIn;
}

/**
 * The access over the network. With a token: each client that sends it, and each browser that has signed in
 * with it. Without a token: programs on this machine, and the page of this aggregator in a browser on this
 * machine. These requests are rejected, since they may come from elsewhere:
 *
 *     a peer that is not loopback                     another machine
 *     Forwarded, X-Forwarded-For, Via                 a proxy on this machine
 *     a Host that is not a name of this machine       a web page that uses DNS rebinding
 *     Origin, Sec-Fetch-Site of another site          a web page in a browser on this machine
 *
 * A session of a browser is a cookie, which the browser adds to requests by itself: `isOwnPage` rejects
 * those that another page has caused.
 */
export function guarded(handler: HttpHandler, options: GuardOptions): HttpHandler {
  const { access } = options;
  const isAdmitted = access === undefined ? checkLocal(options) : checkToken(access, options);
  return async (request) => {
    await isAdmitted(request);
    return await handler(request);
  };
}

/** Where a browser signs in, and asks whether it must. */
export const SESSION_PATH = '/v1/session';

/** Throws HttpError to reject a request. */
type Check = (request: HttpRequest) => Promise<void>;

function checkToken({ token, signIn }: TokenAccess, { events, clock }: GuardOptions): Check {
  return async (request) => {
    const { headers, remoteAddress, signal } = request;
    if (token.isIn(request)) return;
    const isSignedIn = headers.authorization === undefined && signIn.isSignedIn(request);
    if (isSignedIn || request.path === SESSION_PATH) {
      // A browser sends an Origin with each write; no other program has a cookie.
      const isKnown = !isSignedIn || headers.origin !== undefined || !isWrite(request);
      if (isKnown && isOwnPage(request, { schemes: ['http', 'https'] })) return;
      events.refused({ reason: 'origin', peer: remoteAddress ?? '' });
      throw new HttpError(403, 'forbidden', FOREIGN_PAGE);
    }
    events.refused({ reason: 'token', peer: remoteAddress ?? '' });
    await clock.sleep(FAILED_TOKEN_DELAY_MS, signal).catch(() => {});
    throw unauthorized(bearerToken(request) !== undefined);
  };
}

function unauthorized(hasToken: boolean): HttpError {
  const [message, challenge] = hasToken
    ? ['The token is wrong.', 'Bearer realm="mega-collector", error="invalid_token"']
    : ['The request needs a token: send "Authorization: Bearer TOKEN".', 'Bearer realm="mega-collector"'];
  return new HttpError(401, 'unauthorized', message, { headers: { 'www-authenticate': challenge } });
}

const FOREIGN_PAGE =
  'Only the page of the aggregator has access with a session. A proxy must pass the Host header of the browser on.';

function checkLocal({ listenAddress, events }: GuardOptions): Check {
  return async (request) => {
    const reason = refusal(request, listenAddress);
    if (reason === undefined) return;
    events.refused({ reason, peer: request.remoteAddress ?? '' });
    throw new HttpError(403, 'forbidden', `${REFUSALS[reason]} ${ADVICE}`);
  };
}

const ADVICE =
  'For access from elsewhere, set AGGREGATOR_HTTP_TOKEN at the aggregator, and send "Authorization: Bearer TOKEN".';

type LocalRefusal = Exclude<RefusalReason, 'token' | 'attempts'>;

const REFUSALS: Readonly<Record<LocalRefusal, string>> = {
  peer: 'Without a token, only the machine of the aggregator has access.',
  proxy: 'Without a token, a proxy has no access.',
  host: 'Without a token, the Host header must be a name of this machine, such as localhost or 127.0.0.1.',
  origin: 'Without a token, no web page has access besides the one of the aggregator.',
};

function refusal(request: HttpRequest, listenAddress: Address): LocalRefusal | undefined {
  const { remoteAddress, headers } = request;
  if (remoteAddress === undefined || !isLoopbackHost(remoteAddress)) return 'peer';
  if (PROXY_HEADERS.some((name) => headers[name] !== undefined)) return 'proxy';
  if (!isOwnHost(headers.host, listenAddress)) return 'host';
  return isOwnPage(request, { schemes: ['http'] }) ? undefined : 'origin';
}

const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

function isLoopbackHost(host: string): boolean {
  return isLoopback({ host, port: 0 });
}

function isOwnHost(header: string | undefined, listenAddress: Address): boolean {
  const host = parseAddress((header ?? '').toLowerCase(), 80)?.host;
  return host !== undefined && (isLoopbackHost(host) || host === listenAddress.host.toLowerCase());
}
