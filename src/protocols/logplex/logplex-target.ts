import { LONGEST_TOKEN } from './message-header.ts';

/** The address and credentials of requests. Plain data. */
export interface LogplexTarget {
  readonly protocol: 'http:' | 'https:';
  /** IPv6 addresses without brackets. */
  readonly host: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
  /** For people: protocol, host and port. A path or a query may contain a secret, these do not. */
  readonly origin: string;
  /** Secret: the value of the header. */
  readonly authorization: string;
  /** Secret: the name under which every message is sent. */
  readonly token: string;
}

/** Why a target is invalid; never quotes a possible secret. */
export interface TargetFault {
  readonly fault: string;
}

export function isFault(target: LogplexTarget | TargetFault): target is TargetFault {
  return 'fault' in target;
}

/** `https://token:<token>@host/logs` */
export function parseLogplexUrl(text: string): LogplexTarget | TargetFault {
  const url = httpUrl(text);
  if (url === undefined) return { fault: 'expected a URL that begins with https: or http:' };
  if (url.username === '' && url.password === '')
    return { fault: 'expected user and token in the URL: https://token:<token>@host/logs' };
  if (url.password === '')
    return { fault: 'expected a token after the user in the URL: https://token:<token>@host/logs' };
  return targetOf(url, undefined);
}

/** The target of a token at a common URL. If the URL has credentials, the request uses these. */
export function tokenTarget(token: string, urlText: string): LogplexTarget | TargetFault {
  const url = httpUrl(urlText);
  if (url === undefined) return { fault: 'expected a URL that begins with https: or http:' };
  return targetOf(url, token);
}

export function httpUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url : undefined;
}

function targetOf(url: URL, token: string | undefined): LogplexTarget | TargetFault {
  const user = decoded(url.username);
  const password = decoded(url.password);
  if (user === undefined || password === undefined)
    return { fault: 'expected user and token in the URL to be percent-encoded' };
  const name = token ?? password;
  if (!TOKEN.test(name)) return { fault: TOKEN_FAULT };
  const credentials = password === '' ? `token:${name}` : `${user}:${password}`;
  return {
    protocol: url.protocol === 'http:' ? 'http:' : 'https:',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || (url.protocol === 'http:' ? 80 : 443)),
    path: `${url.pathname}${url.search}`,
    origin: url.origin,
    authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
    token: name,
  };
}

/** Why logplex cannot accept a token; undefined if it can. */
export function tokenFault(token: string): string | undefined {
  return TOKEN.test(token) ? undefined : TOKEN_FAULT;
}

const TOKEN_FAULT = `expected a token of 1 to ${LONGEST_TOKEN} printable ASCII characters without blanks`;

/** The token is in the header of each message, where a blank would begin the next field. */
const TOKEN = new RegExp(`^[\\x21-\\x7e]{1,${LONGEST_TOKEN}}$`);

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
