import type { HttpRequest } from '../../../runtime/http/http-contract.ts';

type Request = Pick<HttpRequest, 'method' | 'headers'>;

export interface OwnPageOptions {
  /** The schemes under which a browser may have loaded the page. */
  readonly schemes: readonly ('http' | 'https')[];
}

/**
 * Whether a request comes from no browser, or from the page that this server serves. A browser adds headers
 * that no page can change or remove:
 *
 *     Sec-Fetch-Site   the relation of the page to this server; `none`: the person typed the address
 *     Origin           with each write, and with each read of another site: scheme, host and port of the page
 *
 * The Host header of the request must be verified before, unless the request proves its access by itself.
 */
export function isOwnPage(request: Request, { schemes }: OwnPageOptions): boolean {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  if (origin !== undefined) return schemes.some((scheme) => isOriginOf(origin, scheme, host));
  return site === undefined || !isWrite(request);
}

/** A request that may change something. */
export function isWrite({ method }: Pick<Request, 'method'>): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function isOriginOf(origin: string, scheme: string, host: string | undefined): boolean {
  if (host === undefined || host === '') return false;
  return origin.toLowerCase() === `${scheme}://${host.toLowerCase()}`;
}
