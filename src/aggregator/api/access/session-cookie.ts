import type { HttpRequest } from '../../../runtime/http/http-contract.ts';

type Headers = Pick<HttpRequest, 'headers'>;

/** Cookies do not know ports: two aggregators on one machine need two names. */
export function sessionCookieName(port: number): string {
  return `mega-collector-session-${port}`;
}

/** The value of a cookie; undefined: absent. */
export function cookieOf({ headers }: Headers, name: string): string | undefined {
  for (const pair of (headers.cookie ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

/**
 * The `Set-Cookie` header. Scripts cannot read the cookie, and no page of another site sends it. The browser
 * forgets it when it is closed; the server decides about its end.
 */
export function setCookie(name: string, value: string, request: Headers): string {
  return `${name}=${value}; ${ATTRIBUTES}${isOverTls(request) ? '; Secure' : ''}`;
}

/** Makes the browser forget the cookie. */
export function clearCookie(name: string, request: Headers): string {
  return `${setCookie(name, '', request)}; Max-Age=0`;
}

const ATTRIBUTES = 'Path=/; HttpOnly; SameSite=Strict';

/** This server has no TLS of its own. The browser reports the scheme of the page, and a proxy may, too. */
function isOverTls({ headers }: Headers): boolean {
  const forwarded = String(headers['x-forwarded-proto'] ?? '').split(',')[0];
  return (headers.origin ?? '').startsWith('https:') || forwarded?.trim().toLowerCase() === 'https';
}
