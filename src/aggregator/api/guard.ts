import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import type { Address } from '../../runtime/configuration/address.ts';
import { isLoopback, parseAddress } from '../../runtime/configuration/address.ts';
import type { HttpHandler, HttpRequest } from '../../runtime/http/http-contract.ts';
import { HttpError } from '../../runtime/http/http-error.ts';
import type { ApiEvents, RefusalReason } from './events.ts';

export interface GuardOptions {
  /** undefined: only this machine has access. */
  readonly token: string | undefined;
  readonly listenAddress: Address;
  readonly clock: Clock;
  readonly events: Pick<ApiEvents, 'refused'>;
}

const FAILED_TOKEN_DELAY_MS = 250;

/**
 * The access over the network. With a token: every client that sends it. Without a token: programs on this
 * machine only. These requests are rejected, since they may come from elsewhere:
 *
 *     a peer that is not loopback                     another machine
 *     Forwarded, X-Forwarded-For, Via                 a proxy on this machine
 *     a Host that is not a name of this machine       a web page that uses DNS rebinding
 *     Origin, Sec-Fetch-Site of another site          a web page in a browser on this machine
 */
export function guarded(handler: HttpHandler, options: GuardOptions): HttpHandler {
  const { token } = options;
  if (token === '') throw new Error('The token must not be empty');
  const isAdmitted = token === undefined ? checkLocal(options) : checkToken(token, options);
  return async (request) => {
    await isAdmitted(request);
    return await handler(request);
  };
}

/** Throws HttpError to reject a request. */
type Check = (request: HttpRequest) => Promise<void>;

function checkToken(token: string, { events, clock }: GuardOptions): Check {
  const expected = digest(token);
  return async ({ headers, remoteAddress, signal }) => {
    const given = /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1];
    // Digests have one length: the comparison does not reveal how much of a token was right.
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return;
    events.refused({ reason: 'token', peer: remoteAddress ?? '' });
    await clock.sleep(FAILED_TOKEN_DELAY_MS, signal).catch(() => {});
    const [message, challenge] =
      given === undefined
        ? ['The request needs a token: send "Authorization: Bearer TOKEN".', 'Bearer realm="mega-collector"']
        : ['The token is wrong.', 'Bearer realm="mega-collector", error="invalid_token"'];
    throw new HttpError(401, 'unauthorized', message, { headers: { 'www-authenticate': challenge } });
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

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

const REFUSALS: Readonly<Record<Exclude<RefusalReason, 'token'>, string>> = {
  peer: 'Without a token, only the machine of the aggregator has access.',
  proxy: 'Without a token, a proxy has no access.',
  host: 'Without a token, the Host header must be a name of this machine, such as localhost or 127.0.0.1.',
  origin: 'Without a token, a web page has no access.',
};

function refusal(
  { remoteAddress, headers }: HttpRequest,
  listenAddress: Address,
): Exclude<RefusalReason, 'token'> | undefined {
  if (remoteAddress === undefined || !isLoopbackHost(remoteAddress)) return 'peer';
  if (PROXY_HEADERS.some((name) => headers[name] !== undefined)) return 'proxy';
  if (!isOwnHost(headers.host, listenAddress)) return 'host';
  const site = headers['sec-fetch-site'];
  const isOwnSite = site === undefined || site === 'none' || site === 'same-origin';
  return headers.origin === undefined && isOwnSite ? undefined : 'origin';
}

const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

function isLoopbackHost(host: string): boolean {
  return isLoopback({ host, port: 0 });
}

function isOwnHost(header: string | undefined, listenAddress: Address): boolean {
  const host = parseAddress((header ?? '').toLowerCase(), 80)?.host;
  return host !== undefined && (isLoopbackHost(host) || host === listenAddress.host.toLowerCase());
}
